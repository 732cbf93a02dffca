import { type ResourceLimits, Worker } from 'node:worker_threads'
import { SHARD_TUNING, type ShardTuning } from './tuning.ts'
import type { Begin, EarlyWorkerData, ShardWorkerData } from './worker.ts'

/** Most objects of a block die with it: a larger nursery is collected less often, and had a tenth of all CPU before. */
const YOUNG_MB = 128
/** Less than the main thread of a program has: what ran here can be run again by `deaios verify`. */
const STACK_MB = 0.75

/** What memory the thread of a shard has. */
export const shardLimits = (tuning: Partial<ShardTuning> = {}): ResourceLimits => ({
  maxYoungGenerationSizeMb: YOUNG_MB,
  maxOldGenerationSizeMb: { ...SHARD_TUNING, ...tuning }.memoryMb,
  stackSizeMb: STACK_MB,
})

/** Starts the thread of a shard: it loads its modules, and waits for `beginThread`. */
export function shardThread({ shard, database, modules, tuning }: EarlyWorkerData): Worker {
  const url = new URL(`./worker${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  const workerData: EarlyWorkerData = { shard, database, modules, ...(tuning && { tuning }) }
  return new Worker(url, {
    workerData,
    name: `deaios shard ${shard}`,
    resourceLimits: shardLimits(tuning),
  })
}

/** Tells a thread what its shard goes on from. */
export function beginThread(worker: Worker, { seed, ...data }: ShardWorkerData): void {
  const begin: Begin = { type: 'begin', data, seeds: seed === undefined ? [] : [seed] }
  worker.postMessage(begin)
}

/** Threads of shards that are about to be split off: by the time they are, their modules are loaded. */
export class EarlyThreads {
  readonly #threads = new Map<string, Worker>()
  #isOver = false

  /** Starts the thread of a shard, unless it was before. */
  prepare(data: EarlyWorkerData): void {
    if (this.#isOver || this.#threads.has(data.shard)) return
    const worker = shardThread(data)
    this.#threads.set(data.shard, worker)
    const forget = (): void => {
      if (this.#threads.get(data.shard) === worker) this.#threads.delete(data.shard)
    }
    // If it cannot even begin, the shard's own start says why.
    worker.on('error', forget)
    worker.on('exit', forget)
  }

  /** The thread of this shard, which is the caller's from now on; undefined if there is none. */
  take(shard: string): Worker | undefined {
    const worker = this.#threads.get(shard)
    this.#threads.delete(shard)
    return worker
  }

  /** Ends those that nobody took. */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#threads.values()].map((worker) => worker.terminate()))
  }
}
