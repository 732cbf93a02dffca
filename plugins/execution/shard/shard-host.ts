import type { PooledBatch, TransactionBatch } from './batch.ts'
import type { RootDelivery } from './inbox.ts'
import type { ShardAnswers, ShardQuestion, ShardReport } from './messages.ts'

/** What a shard reports, and that it is down. */
export type HostReport = ShardReport | { readonly type: 'down' }

/** Where a shard runs: a worker thread here, or a process elsewhere. It speaks in messages only. */
export interface ShardHost {
  readonly id: string
  /** True if it writes to a database of its own, in which this leader takes office with its start only. */
  readonly isElsewhere: boolean
  readonly status: 'STARTING' | 'RUNNING' | 'RESTARTING' | 'STOPPED'
  /** What waited in its mempool may be why it crashes, and is not to be sent again. */
  readonly losesPool?: boolean
  /** The code of what keeps its events from the event stream, if time does not mend it. */
  readonly eventTrouble?: string | undefined
  /** Starts the shard; resolves once it is ready. @throws ShardHostError if its state cannot be opened. */
  start(): Promise<void>
  /** False if the shard does not run now; nothing was taken then. */
  submit(batch: TransactionBatch): boolean
  deliver(delivery: RootDelivery): void
  /** Gives it what waited in the pool of its parent; it reports `adopted`. Nothing happens if it does not run now. */
  adopt(pool: PooledBatch): void
  /** @throws ShardHostError */
  ask<Q extends ShardQuestion>(question: Q): Promise<ShardAnswers[Q['kind']]>
  /** Whatever the shard reports, and `down` when it stopped without being told to. */
  onReport(listener: (report: HostReport) => void): void
  stop(): Promise<void>
  /** Ends it at once. Nothing durable is lost. */
  abandon(): Promise<void>
}

/** A shard cannot do what it is asked. */
export class ShardHostError extends Error {
  override readonly name = 'ShardHostError'
  /** SHARD_UNAVAILABLE: try again; otherwise what the shard itself said. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What whoever needs a shard is told while it does not run. */
export const shardUnavailable = ({ id, status }: Pick<ShardHost, 'id' | 'status'>): ShardHostError =>
  new ShardHostError('SHARD_UNAVAILABLE', `shard ${id} is ${status.toLowerCase()}; try again in a moment`)
