import { PeerError, type Peers } from '../../../server/plugin.ts'
import type { TransactionState } from '../api.ts'
import { isFinal } from '../gateway/states.ts'
import { rank } from '../gateway/watch.ts'
import { Submit, Watch } from './calls.ts'
import type { PendingBook } from './pending-book.ts'
import { ledgerTrouble } from './trouble.ts'

/**
 * A transaction's states from whichever node leads, through changes of the leader, none twice. What waited in the
 * mempool of a leader that went is submitted to the next: it is the same payment, done once.
 * @throws SubmissionError if nobody leads for 10 s
 */
export async function* followStates(
  peers: Peers,
  book: PendingBook,
  id: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<TransactionState, void> {
  let last: TransactionState | undefined
  /** What the present leader is to get, before it is asked. */
  let again: Uint8Array | undefined
  let isPassedOn = false
  while (!signal.aborted) {
    try {
      if (again !== undefined) await peers.call(Submit, { wires: [again], wait: 'NONE' }, { signal })
      again = undefined
      for await (const state of peers.stream(Watch, id, { signal })) {
        if (last !== undefined && rank(state) <= rank(last)) continue
        last = state
        yield state
        if (isFinal(state.status)) return
      }
      if (signal.aborted) return
      // The leader does not know it. Perhaps the one before did, went just now, and what it had is still on its way.
      again = isPassedOn ? undefined : book.find(id)
      isPassedOn = true
      if (again !== undefined) continue
      if (last !== undefined) yield { id, status: 'EVICTED', at: null, pending: null }
      return
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof PeerError && error.code === 'LEADER_LOST')) throw ledgerTrouble(error)
      isPassedOn = false
      again = last?.pending ?? undefined
    }
  }
}
