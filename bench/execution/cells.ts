import { shardSpace } from '../../plugins/execution/shard/shard-space.ts'
import { type Bench, BenchError, type Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { stageId } from './stage/cells.ts'
import { filledLedger, MAX_CELLS } from './stage/filled-ledger.ts'
import { Stage } from './stage/stage.ts'
import { STAGE_BATCH, StageTraffic } from './stage/traffic.ts'

const FEW = 10_000
const MANY = 10_000_000
/** Transactions for each second that is asked for. */
const PER_SECOND = 20_000
/** Run before anything is timed: code is compiled, and ten thousand cells are all in memory. */
const WARM_UP = 20_000

/** What a transaction costs as the state grows: reads of cells, hashing, the block's commit, and folds. */
export const cells: Benchmark = {
  name: 'execution.cells',
  description: 'cost of a transaction (shard stage with a durable store) with 10 million cells against 10,000',
  async *run(bench) {
    const { cells: many = MANY } = bench.options
    if (many > MAX_CELLS) throw new BenchError('LOAD_FAILED', `--cells is at most ${MAX_CELLS}, not ${many}`)
    const few = await costOf(bench, FEW)
    const cost = await costOf(bench, many)
    yield figure({
      name: `cost of a transaction with ${many} cells`,
      value: cost,
      unit: 'us',
      reference: { name: `with ${FEW} cells`, value: few },
      target: { ratioAtMost: 2.5 },
    })
  },
}

/** Microseconds a transaction, all blocks committed and all changed cells folded. */
async function costOf(bench: Bench, count: number): Promise<number> {
  const { seconds = 10 } = bench.options
  const space = shardSpace('0:')
  const started = performance.now()
  const stage = new Stage(space, await filledLedger(bench, space, count))
  const filled = performance.now()
  await stage.open()
  const opened = performance.now()
  bench.say(
    `${count} cells: written in ${Math.round((filled - started) / 100) / 10} s, ` +
      `read back and hashed in ${Math.round((opened - filled) / 100) / 10} s`,
  )
  const traffic = new StageTraffic({ own: stageId, ownCount: count, foreign: stageId, foreignCount: 0 })
  const load = (transactions: number) => ({
    batches: Array.from({ length: Math.ceil(transactions / STAGE_BATCH) }, () => traffic.batch()),
    arrivals: [],
    batchesPerArrival: 1,
  })
  await stage.run(load(WARM_UP))
  const timed = load(seconds * PER_SECOND)
  const ran = await stage.run(timed)
  const folding = performance.now()
  await stage.stop()
  const total = ran + performance.now() - folding
  const cost = (1000 * total) / (timed.batches.length * STAGE_BATCH)
  bench.say(`${count} cells: ${cost.toFixed(1)} us a transaction, ${Math.round(total - ran)} ms of it in the last fold`)
  return cost
}
