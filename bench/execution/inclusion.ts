import type { Bench, Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { percentile } from '../percentile.ts'
import { diskSyncMs } from '../reference/disk-sync.ts'
import { checked, flood, rateOf, startLoadedNode } from './loaded-node.ts'
import { TRANSFER_RATE } from './transfers.ts'

const LOAD = 0.2
/** Small batches, as many clients together make them: the figure is about blocks, not about HTTP. */
const PER_REQUEST = 10
const CONNECTIONS = 16
const WARM_SECONDS = 3
/** Of a load of its own, where `execution.transfers` was not measured in the same run. */
const OWN_SECONDS = 5

/** How long a payment takes to be safe while the node has other work too. */
export const inclusion: Benchmark = {
  name: 'execution.inclusion',
  description: 'submit to INCLUDED at 20 % of the full load, at fixed times, warm: p50 and p99',
  async *run(bench) {
    const { seconds = 20 } = bench.options
    const full = bench.found.get(TRANSFER_RATE) ?? (await fullRate(bench))
    const { generator } = await startLoadedNode(bench, { perRequest: PER_REQUEST })
    const perSecond = (LOAD * full) / PER_REQUEST
    const total = seconds + WARM_SECONDS
    await generator.ask({ kind: 'sign', transactions: Math.ceil(perSecond * PER_REQUEST * total) + PER_REQUEST })
    const result = checked(await generator.ask({ kind: 'pace', perSecond, seconds: total, warmSeconds: WARM_SECONDS }))
    bench.say(`${Math.round(rateOf(result))} tx/s in ${result.requests} requests of ${PER_REQUEST}`)
    const reference = { name: 'fdatasync of 4 KiB', value: diskSyncMs(bench) }
    for (const [name, percent, atMost] of [['p50', 50, 50] as const, ['p99', 99, 250] as const]) {
      yield figure({
        name: `submit to INCLUDED at 20 % load, ${name}`,
        value: percentile(result.latencies, percent),
        unit: 'ms',
        reference,
        target: { atMost },
      })
    }
  },
}

/** Full load in requests of the size that is measured afterwards would be another figure: batches of 500 as there. */
async function fullRate(bench: Bench): Promise<number> {
  bench.say('execution.transfers was not measured in this run: a short run of it finds the full load')
  await using scope = new AsyncDisposableStack()
  const own: Bench = { ...bench, scope }
  const loaded = await startLoadedNode(own, { perRequest: 500 })
  return rateOf(await flood(own, loaded, { connections: CONNECTIONS, seconds: OWN_SECONDS }))
}
