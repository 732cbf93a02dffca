/** One shard's stage in a thread of its own, for `execution.shards`. */
import { parentPort, workerData } from 'node:worker_threads'
import { shardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { cellPath, compare } from '../../../protocol/index.ts'
import { stageCell, stageId } from './cells.ts'
import { NullStore } from './null-store.ts'
import { Stage, type StageLoad } from './stage.ts'
import { arrivals, STAGE_BATCH, StageTraffic } from './traffic.ts'

export interface StageWorkerData {
  readonly shard: string
  /** Accounts in all shards together. */
  readonly accounts: number
}

/** What the worker is told; it answers each with its own kind, `run` with the milliseconds too. */
export type StageRequest =
  | { readonly kind: 'prepare'; readonly transactions: number }
  | { readonly kind: 'run' }
  | { readonly kind: 'stop' }

export interface StageAnswer {
  readonly kind: StageRequest['kind']
  readonly ms: number
}

/** Batches between two root blocks: 2,000 transactions, as many as a shard includes in 100 ms. */
const BATCHES_PER_ROOT = 32

async function main({ shard, accounts }: StageWorkerData): Promise<void> {
  const space = shardSpace(shard)
  const ids = Array.from({ length: accounts }, (_, index) => stageId(index))
  const own = ids.filter((id) => space.contains(cellPath(id)))
  const foreign = ids.filter((id) => !space.contains(cellPath(id)))
  const cells = own.map(stageCell).sort((a, b) => compare(a.path, b.path))
  const stage = new Stage(space, new NullStore(space, cells))
  await stage.open()
  const sides = {
    own: (index: number) => own[index]!,
    ownCount: own.length,
    foreign: (index: number) => foreign[index]!,
    foreignCount: foreign.length,
  }
  const traffic = new StageTraffic(sides)
  let arrived = 0
  /** Half of the transfers leave the shard; as many arrive. */
  const prepare = (transactions: number): StageLoad => {
    const batches = Array.from({ length: Math.ceil(transactions / STAGE_BATCH) }, () => traffic.batch())
    const perRoot = (BATCHES_PER_ROOT * STAGE_BATCH) / 2
    const parts = Array.from({ length: Math.floor(batches.length / BATCHES_PER_ROOT) }, () => {
      arrived += perRoot
      return arrivals(sides, arrived - perRoot, perRoot)
    })
    return { batches, arrivals: parts, batchesPerArrival: BATCHES_PER_ROOT }
  }
  let load = prepare(0)
  const answer = (kind: StageRequest['kind'], ms = 0): void => {
    const message: StageAnswer = { kind, ms }
    parentPort?.postMessage(message)
  }
  const handle = async (request: StageRequest): Promise<void> => {
    if (request.kind === 'prepare') load = prepare(request.transactions)
    if (request.kind === 'stop') await stage.stop()
    answer(request.kind, request.kind === 'run' ? await stage.run(load) : 0)
    if (request.kind === 'stop') parentPort?.close()
  }
  parentPort?.on('message', (request: StageRequest) => void handle(request))
}

await main(workerData as StageWorkerData)
