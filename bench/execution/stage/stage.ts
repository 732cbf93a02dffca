import { setImmediate } from 'node:timers/promises'
import { ModuleLibrary } from '../../../plugins/execution/ledger/module-library.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import type { TransactionBatch } from '../../../plugins/execution/shard/batch.ts'
import type { BlockStore } from '../../../plugins/execution/shard/block-store.ts'
import { SHARD_TUNING, ShardEngine } from '../../../plugins/execution/shard/engine.ts'
import type { ShardReport } from '../../../plugins/execution/shard/messages.ts'
import type { ShardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { BenchError } from '../../benchmark.ts'
import { STAGE_PARAMS } from './first-block.ts'
import { STAGE_BATCH } from './traffic.ts'

/** Transactions that wait for a block while there are more to come: blocks of about so many, as under full load. */
const WAITING = 1500
/** Messages to the worker that are being taken in at a time. */
const SUBMISSIONS = 8

/** Transfers for one run, made before its time is taken. */
export interface StageLoad {
  readonly batches: readonly TransactionBatch[]
  /** Out items from the other shard, one part after each `batchesPerArrival` batches. */
  readonly arrivals: readonly Uint8Array[]
  readonly batchesPerArrival: number
}

/** One shard's engine, driven without a node around it. */
export class Stage {
  readonly #engine: ShardEngine
  #running: Promise<void> = Promise.resolve()
  #included = 0
  #rootHeight = 0
  #problem: BenchError | undefined

  constructor(space: ShardSpace, store: BlockStore) {
    this.#engine = new ShardEngine({
      space,
      store,
      // The stage is never split.
      births: { split: async () => undefined, isSplit: async () => false },
      rules: { library: new ModuleLibrary([account]), params: STAGE_PARAMS },
      tuning: SHARD_TUNING,
      report: (report) => this.#onReport(report),
      now: Date.now,
    })
  }

  async open(): Promise<void> {
    await this.#engine.open()
    this.#running = this.#engine.run()
  }

  /** Runs the load to the last committed transaction; milliseconds. @throws BenchError if one is refused. */
  async run({ batches, arrivals, batchesPerArrival }: StageLoad): Promise<number> {
    const goal = this.#included + STAGE_BATCH * batches.length
    const started = performance.now()
    const open = new Set<Promise<void>>()
    for (const [i, batch] of batches.entries()) {
      while (this.#engine.mempool.readyCount >= WAITING || open.size >= SUBMISSIONS) await this.#turn()
      const taken: Promise<void> = this.#engine.desk.submit(batch).finally(() => open.delete(taken))
      open.add(taken)
      const part = (i + 1) % batchesPerArrival === 0 ? arrivals[(i + 1) / batchesPerArrival - 1] : undefined
      if (part !== undefined) this.#deliver(part)
    }
    await Promise.all(open)
    while (this.#included < goal) await this.#turn()
    return performance.now() - started
  }

  /** Ends after everything was folded. */
  async stop(): Promise<void> {
    this.#engine.stop()
    await this.#running
  }

  /** Lets the engine work. Its failure is ours. */
  async #turn(): Promise<void> {
    await Promise.race([setImmediate(), this.#running])
    if (this.#problem !== undefined) throw this.#problem
  }

  #deliver(items: Uint8Array): void {
    this.#rootHeight++
    this.#engine.deliver({
      height: this.#rootHeight,
      time: Date.now(),
      exports: [],
      random: new Uint8Array(32),
      sources: [{ shard: '0:', height: this.#rootHeight, items }],
    })
  }

  #onReport(report: ShardReport): void {
    if (report.type === 'block') this.#included += report.block.included.length / 32
    if (report.type === 'admitted' && report.admission.results.some((result) => result !== 0)) {
      this.#problem = new BenchError('LOAD_FAILED', 'the shard refused a transfer: it does not run what it should')
    }
    if (report.type === 'warning') this.#problem = new BenchError('LOAD_FAILED', `the shard says: ${report.message}`)
  }
}
