import type { Message } from '../../../protocol/index.ts'
import type { CallRegistry } from '../ledger/registry.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import { type Arrival, arrivalsOf, type DeferredMessage, deferred, type RootDelivery } from './inbox.ts'

/** Which messages a block runs, and which it sets aside. */
export interface InboundPlan {
  /** Those that run in this block, in order. */
  readonly now: readonly Message[]
  readonly weight: number
  /** What arrived with messages, in the smallest unit. */
  readonly consumed: bigint
  readonly arrived: number
  /** Arrived, but no room. */
  readonly added: readonly DeferredMessage[]
  /** Keys of deferred messages that run now. */
  readonly done: readonly Uint8Array[]
  /** All that wait after this block, and before it. */
  readonly waiting: DeferredMessage[]
  readonly before: readonly DeferredMessage[]
}

/** Splits what waits and what arrives into what runs now and what is (still) deferred. */
export function planInbound(
  registry: CallRegistry,
  before: readonly DeferredMessage[],
  deliveries: readonly RootDelivery[],
  arrivedBefore: number,
): InboundPlan {
  const budget = MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE)
  const now: Message[] = []
  const done: Uint8Array[] = []
  const added: DeferredMessage[] = []
  let weight = 0
  let waitingFrom = 0
  for (const { key, message } of before) {
    if (weight >= budget) break
    weight += weightOf(registry, message)
    now.push(message)
    done.push(key)
    waitingFrom++
  }
  const arrivals: Arrival[] = []
  for (const delivery of deliveries) arrivals.push(...arrivalsOf(delivery, arrivedBefore + arrivals.length))
  let consumed = 0n
  for (const arrival of arrivals) {
    consumed += arrival.message.value
    if (weight < budget) {
      weight += weightOf(registry, arrival.message)
      now.push(arrival.message)
    } else added.push(deferred(arrival))
  }
  const waiting = [...before.slice(waitingFrom), ...added]
  return { now, weight, consumed, arrived: arrivals.length, added, done, waiting, before }
}

function weightOf(registry: CallRegistry, message: Message): number {
  const registered = registry.get(message.call)
  const args = registered?.call.args.safeParse(message.args)
  return registered !== undefined && args?.success === true ? registry.weight(registered, args.data) : 1
}

/** The values that deferred messages carry. */
export function sumValues(messages: readonly DeferredMessage[]): bigint {
  let sum = 0n
  for (const { message } of messages) sum += message.value
  return sum
}
