import type { Bench } from '../../benchmark.ts'
import { Child } from './child.ts'
import type { NodeAnswers, NodeRequest, Protocol, SubscribersAnswers, SubscribersRequest } from './messages.ts'

/** How many listen. */
export const SUBSCRIBERS = 1000

/** A node and its subscribers, each in a process of its own. */
export interface Audience {
  /** Where both are. */
  readonly place: Pick<NodeAnswers['open'], 'port' | 'database'>
  readonly node: Child<NodeRequest, NodeAnswers>
  readonly subscribers: Child<SubscribersRequest, SubscribersAnswers>
}

/** Starts both; they end with the scope. */
export async function openAudience(bench: Bench, protocol: Protocol = 'deaios'): Promise<Audience> {
  const folder = bench.folder()
  const node = new Child<NodeRequest, NodeAnswers>(bench.scope, new URL('./node.ts', import.meta.url))
  const place = await node.ask({ kind: 'open', folder, protocol })
  const subscribers = new Child<SubscribersRequest, SubscribersAnswers>(
    bench.scope,
    new URL('./subscribers.ts', import.meta.url),
  )
  return { node, place, subscribers }
}

/** Deliveries a second. */
export interface Rate {
  /** For each second that the serving process computes, on all its threads: what one core of its own would do. */
  readonly perCore: number
  /** As it was on this machine, which the subscribers and Postgres share. */
  readonly here: number
}

/** Publishes for some seconds, a batch when all have the one before, and counts what arrived. */
export async function deliveryRate({ node, subscribers }: Audience, perBatch: number, seconds: number): Promise<Rate> {
  // Code is compiled, and sockets have their buffers.
  await subscribers.ask({ kind: 'deliver', perBatch, seconds: Math.min(2, seconds) })
  const before = await node.ask({ kind: 'cpu' })
  const { deliveries, ms } = await subscribers.ask({ kind: 'deliver', perBatch, seconds })
  const after = await node.ask({ kind: 'cpu' })
  return { perCore: (1000 * deliveries) / (after.ms - before.ms), here: (1000 * deliveries) / ms }
}
