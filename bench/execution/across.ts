import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { percentile } from '../percentile.ts'
import { checked, startLoadedNode } from './loaded-node.ts'

/** `rootIntervalMs` of a node that is not told otherwise: a message crosses with the next root block. */
const ROOT_INTERVAL_MS = 100
const PAUSE_MS = 300
/** What one transfer and the pause before it take. */
const EACH_MS = 500
const WARM_UP = 5

/** How long a payment to another shard takes when nothing else is going on. */
export const across: Benchmark = {
  name: 'execution.across',
  description: 'submit to EXECUTED for a transfer to the other shard, idle network: p50',
  async *run(bench) {
    const { seconds = 20 } = bench.options
    const { generator } = await startLoadedNode(bench, { perRequest: 1, crossing: 'all', wait: 'EXECUTED' })
    const count = Math.max(5, Math.ceil((1000 * seconds) / EACH_MS))
    await generator.ask({ kind: 'sign', transactions: count + WARM_UP })
    checked(await generator.ask({ kind: 'single', count: WARM_UP, pauseMs: PAUSE_MS }))
    const { latencies } = checked(await generator.ask({ kind: 'single', count, pauseMs: PAUSE_MS }))
    bench.say(`${count} transfers, p99 ${Math.round(percentile(latencies, 99))} ms`)
    yield figure({
      name: 'submit to EXECUTED across shards, idle, p50',
      value: percentile(latencies, 50),
      unit: 'ms',
      reference: { name: 'interval of root blocks', value: ROOT_INTERVAL_MS },
      target: { atMost: 400 },
    })
  },
}
