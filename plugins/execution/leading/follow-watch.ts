import { PeerError, type Peers } from '../../../server/plugin.ts'
import type { TransactionState } from '../api.ts'
import { isFinal } from '../gateway/states.ts'
import { rank } from '../gateway/watch.ts'
import { Submit, Watch } from './calls.ts'
import { ledgerTrouble } from './trouble.ts'

/**
 * A transaction's states from whichever node leads, through changes of the leader, none twice. What waited in the
 * mempool of a leader that went is submitted to the next: it is the same payment, done once.
 * @throws SubmissionError if nobody leads for 10 s
 */
export async function* followStates(
  peers: Peers,
  id: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<TransactionState, void> {
  let last: TransactionState | undefined
  while (!signal.aborted) {
    try {
      for await (const state of peers.stream(Watch, id, { signal })) {
        if (last !== undefined && rank(state) <= rank(last)) continue
        last = state
        yield state
        if (isFinal(state.status)) return
      }
      // Unknown from the first; or, by now, to the only node that could still have had it.
      if (last !== undefined && !signal.aborted) yield { id, status: 'EVICTED', at: null, pending: null }
      return
    } catch (error) {
      if (!(error instanceof PeerError && error.code === 'LEADER_LOST')) throw ledgerTrouble(error)
    }
    const wire = last?.pending
    if (wire === undefined || wire === null) continue
    try {
      await peers.call(Submit, { wires: [wire], wait: 'NONE' }, { signal })
    } catch (error) {
      if (!signal.aborted) throw ledgerTrouble(error)
    }
  }
}
