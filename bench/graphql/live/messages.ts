import type { DatabaseOptions } from '../../../server/plugin.ts'

/** Whose WebSocket server the node runs: ours, or `graphql-ws` with one execution for each subscriber. */
export type Protocol = 'deaios' | 'graphql-ws'

/** What the process that serves is told. It answers each in turn. */
export type NodeRequest =
  | { readonly kind: 'open'; readonly folder: string; readonly protocol: Protocol }
  /** Publishes as fast as it can be kept, in so many transactions at a time. */
  | { readonly kind: 'publish'; readonly perBatch: number; readonly writers: number; readonly seconds: number }
  /** Publishes so many events, one after the other in their order. */
  | { readonly kind: 'fill'; readonly events: number }
  /** Collects garbage, and tells what is left. */
  | { readonly kind: 'memory' }
  /** Tells what the process has computed so far. */
  | { readonly kind: 'cpu' }

export interface Load {
  readonly events: number
  readonly ms: number
}

export interface NodeAnswers {
  readonly open: { readonly port: number; readonly database: DatabaseOptions }
  readonly publish: Load
  readonly fill: Load
  readonly memory: { readonly bytes: number }
  /** Milliseconds of all its threads. */
  readonly cpu: { readonly ms: number }
}

/** What the process of the subscribers is told. */
export type SubscribersRequest =
  /** Opens so many WebSockets with one subscription each, to one document or each to its own. */
  | {
      readonly kind: 'subscribe'
      readonly port: number
      readonly database: DatabaseOptions
      readonly count: number
      readonly different: boolean
    }
  /** Publishes so many events together, again when all subscribers have them, until the time is over. */
  | { readonly kind: 'deliver'; readonly perBatch: number; readonly seconds: number }
  /** Publishes at fixed times, whatever became of the events before. */
  | { readonly kind: 'pace'; readonly perBatch: number; readonly perSecond: number; readonly seconds: number }
  /** Reads that many events from the beginning, over connections that are cut now and then. */
  | { readonly kind: 'resume'; readonly port: number; readonly events: number; readonly cuts: number }

/** What came of events that were published; each came once to each subscriber. */
export interface Delivered {
  readonly deliveries: number
  readonly ms: number
  /** Milliseconds from publishing to arrival, of some. */
  readonly delays: readonly number[]
}

export interface SubscribersAnswers {
  readonly subscribe: null
  readonly deliver: Delivered
  readonly pace: Delivered
  readonly resume: { readonly ms: number; readonly resumed: number }
}

export const TOPIC = 'bench.measured'
export const SELECTION = `events(topics: ["${TOPIC}"]) { cursor topic payload }`
