import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Bench, BenchError } from '../benchmark.ts'
import type { LoadPlan } from '../load/plan.ts'
import type { VerifyTask } from './verify-worker.ts'

const THREADS = 2
const SECONDS = 2

/**
 * Signatures that libsodium checks in two threads, a second, over messages as long as those of the plan: what a node
 * that did nothing else would reach on two cores.
 */
export async function verifyRate(bench: Bench, plan: LoadPlan): Promise<number> {
  const task: VerifyTask = { plan, seconds: SECONDS }
  const workers = Array.from(
    { length: THREADS },
    () => new Worker(new URL('./verify-worker.ts', import.meta.url), { workerData: task }),
  )
  const rates = await Promise.all(
    workers.map(async (worker) => {
      bench.scope.defer(async () => void (await worker.terminate()))
      const [ready] = await once(worker, 'message')
      if (ready !== 'ready') throw new BenchError('LOAD_FAILED', 'a thread that checks signatures did not start')
      return worker
    }),
  )
  const found = await Promise.all(
    rates.map(async (worker) => {
      worker.postMessage('go')
      const [rate] = await once(worker, 'message')
      return Number(rate)
    }),
  )
  await Promise.all(workers.map((worker) => worker.terminate()))
  return found.reduce((sum, rate) => sum + rate, 0)
}
