import type { Message } from '../../../protocol/index.ts'
import { parseArgs } from '../ledger/call-args.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import { type Arrival, arrivalsOf, type DeferredMessage, deferred, type RootDelivery } from './inbox.ts'
import type { RunMarks } from './run-marks.ts'

/** Which messages a block runs, and which it sets aside. */
export interface InboundPlan {
  /** Those that run in this block, in order. */
  readonly now: readonly Message[]
  readonly weight: number
  /** Weight of what waits after this block. */
  readonly waitingWeight: number
  /** What arrived with messages, in the smallest unit. */
  readonly consumed: bigint
  readonly arrived: number
  /** Arrived, but no room. */
  readonly added: readonly DeferredMessage[]
  /** Keys of deferred messages that run now. */
  readonly done: readonly Uint8Array[]
  /** All that wait after this block, oldest first. */
  readonly waiting: readonly DeferredMessage[]
  /** What those that wait carry more (or less) than before, in the smallest unit. */
  readonly waitingValue: bigint
}

/**
 * Splits what waits and what arrives into what runs now and what is (still) deferred.
 * @param weightBefore of what waits, by this registry
 * @throws BadRunError if a schema or a weight of a module cannot be run to its end
 */
export function planInbound(
  registry: CallRegistry,
  before: readonly DeferredMessage[],
  deliveries: readonly RootDelivery[],
  arrivedBefore: number,
  weightBefore: number,
  marks?: RunMarks,
): InboundPlan {
  const budget = MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE)
  const now: Message[] = []
  const done: Uint8Array[] = []
  const added: DeferredMessage[] = []
  let weight = 0
  let waitingFrom = 0
  let waitingValue = 0n
  // One may be heavier than the rest of the budget: it goes first in a later block, and so do all behind it.
  let isFull = false
  const fits = (needed: number): boolean => {
    isFull ||= weight > 0 && weight + needed > budget
    return !isFull
  }
  for (const { key, message } of before) {
    const needed = weightOf(registry, message, marks)
    if (!fits(needed)) break
    weight += needed
    waitingValue -= message.value
    now.push(message)
    done.push(key)
    waitingFrom++
  }
  let waitingWeight = weightBefore - weight
  // No spread into a call: so many may have come that they are no list of arguments.
  let arrivals: readonly Arrival[] = []
  for (const delivery of deliveries) {
    const arrived = arrivalsOf(delivery, arrivedBefore + arrivals.length)
    arrivals = arrivals.length === 0 ? arrived : arrivals.concat(arrived)
  }
  let consumed = 0n
  for (const arrival of arrivals) {
    consumed += arrival.message.value
    const needed = weightOf(registry, arrival.message, marks)
    if (fits(needed)) {
      weight += needed
      now.push(arrival.message)
    } else {
      added.push(deferred(arrival))
      waitingWeight += needed
      waitingValue += arrival.message.value
    }
  }
  const waiting = [...before.slice(waitingFrom), ...added]
  const arrived = arrivals.length
  return { now, weight, waitingWeight, consumed, arrived, added, done, waiting, waitingValue }
}

/** What running messages would weigh, with all that they may send. */
export const weightOfAll = (
  registry: CallRegistry,
  messages: readonly DeferredMessage[],
  marks: RunMarks | undefined,
): number => messages.reduce((sum, { message }) => sum + weightOf(registry, message, marks), 0)

function weightOf(registry: CallRegistry, message: Message, marks: RunMarks | undefined): number {
  const registered = registry.get(message.call)
  if (registered === undefined) return 1
  const weigh = (): number => {
    marks?.call(message.call)
    const args = parseArgs(registered, message.args)
    return 'data' in args ? (registry.weight(registered, args.data) ?? 1) : 1
  }
  if (marks === undefined) return weigh()
  marks.message(message)
  return marks.run(weigh)
}
