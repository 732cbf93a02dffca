import { setImmediate } from 'node:timers/promises'
import { type Message, toHex } from '../../../protocol/index.ts'
import type { Execution } from '../shard/execution.ts'
import type { TransactionOutcome } from '../shard/made-block.ts'
import { InboundOutcomes } from '../shard/run-inbound.ts'
import { BadRunError } from '../shard/running.ts'
import { EndlessCallError, withinTime } from './within-time.ts'

/** Messages are run for so long before others on this thread have their turn. */
const SLICE_MS = 20

/**
 * The root chain came to a message that cannot be run to its end: it stops there, and does so again after a restart,
 * until the module is mended.
 */
export class RootHaltedError extends Error {
  override readonly name = 'RootHaltedError'
  readonly code = 'ROOT_HALTED'
}

/**
 * Runs messages that arrived at the root chain, in order.
 * @throws RootHaltedError naming the call that does not end, or that runs out of stack or memory; EndlessCallError if
 * the machine stood still meanwhile
 */
export async function runWatched(
  execution: Execution,
  messages: readonly Message[],
  { height, maxMs }: { readonly height: number; readonly maxMs?: number | undefined },
): Promise<TransactionOutcome[]> {
  const found = new InboundOutcomes()
  let next = 0
  const runSome = (): void => {
    const until = performance.now() + SLICE_MS
    for (; next < messages.length && performance.now() < until; next++) {
      const message = messages[next]
      if (message === undefined) return
      execution.beginInbound(message)
      drain(execution)
      found.add(message, execution.inboundResult())
    }
  }
  const what = (): string => {
    const running = messages[next]
    return `root block ${height}: "${running?.call}" of transaction ${running && toHex(running.origin)}`
  }
  while (next < messages.length) {
    try {
      withinTime(what, runSome, maxMs)
    } catch (error) {
      if (error instanceof EndlessCallError && !error.wasStalled)
        throw new RootHaltedError(error.message, { cause: error })
      if (error instanceof BadRunError)
        throw new RootHaltedError(`root block ${height}: ${error.message}`, { cause: error })
      throw error
    }
    await setImmediate()
  }
  return found.byTransaction()
}

/** Runs what is queued. */
export function drain(execution: Execution): void {
  if (execution.resume() !== undefined) throw new TypeError('the root chain has all of its cells in memory')
}
