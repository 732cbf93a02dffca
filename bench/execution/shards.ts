import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { shardLimits } from '../../plugins/execution/shard/shard-thread.ts'
import { type Bench, BenchError, type Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { median } from '../percentile.ts'
import type { StageAnswer, StageRequest, StageWorkerData } from './stage/stage-worker.ts'

const ACCOUNTS = 10_000
const ROUNDS = 3
/** Transactions a worker runs before anything is timed, so that its code is compiled. */
const WARM_UP = 30_000
/** About what one worker does in a second: sizes the runs. */
const PER_SECOND = 25_000

/** The shard stage alone, in one thread and in two: what a second shard is worth. */
export const shards: Benchmark = {
  name: 'execution.shards',
  description: 'shard stage alone (verified input, nothing written): 2 workers against 1',
  async *run(bench) {
    const { seconds = 4 } = bench.options
    const transactions = Math.ceil(seconds * PER_SECOND)
    const both = [openWorker(bench, '0:0'), openWorker(bench, '0:1')]
    await runTogether(both, WARM_UP)
    const alone: number[] = []
    const together: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // Each worker in its turn, so that a slower one does not look like a lack of scaling.
      const one = await runTogether(both.slice(round % 2, (round % 2) + 1), transactions)
      const two = await runTogether(both, transactions)
      alone.push(one)
      together.push(two)
      bench.say(`round ${round + 1}: one worker ${Math.round(one)} tx/s, two ${Math.round(two)} tx/s`)
    }
    for (const worker of both) await worker.ask({ kind: 'stop' })
    yield figure({
      name: 'shard stage, 2 workers',
      value: median(together),
      unit: 'tx/s',
      reference: { name: 'shard stage, 1 worker', value: median(alone) },
      target: { ratioAtLeast: 1.8 },
    })
  },
}

interface StageThread {
  ask(request: StageRequest): Promise<number>
}

/** Transactions a second of all workers together. */
async function runTogether(workers: readonly StageThread[], transactions: number): Promise<number> {
  await Promise.all(workers.map((worker) => worker.ask({ kind: 'prepare', transactions })))
  const times = await Promise.all(workers.map((worker) => worker.ask({ kind: 'run' })))
  return (workers.length * transactions * 1000) / Math.max(...times)
}

function openWorker(bench: Bench, shard: string): StageThread {
  const data: StageWorkerData = { shard, accounts: ACCOUNTS }
  const worker = new Worker(new URL('./stage/stage-worker.ts', import.meta.url), {
    workerData: data,
    // As in a node: how much memory a thread has decides what collecting garbage costs.
    resourceLimits: shardLimits(),
  })
  bench.scope.defer(async () => void (await worker.terminate()))
  const crashed = once(worker, 'exit').then(
    () => new BenchError('LOAD_FAILED', `the worker of shard ${shard} ended`),
    (error: unknown) => new BenchError('LOAD_FAILED', `the worker of shard ${shard} failed: ${String(error)}`, error),
  )
  return {
    async ask(request) {
      worker.postMessage(request)
      const found = await Promise.race([once(worker, 'message'), crashed])
      if (found instanceof BenchError) throw found
      const [answer] = found as [StageAnswer]
      return answer.ms
    },
  }
}
