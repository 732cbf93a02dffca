import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { audit } from '../node/audit.ts'
import { verifyRate } from '../reference/verify-rate.ts'
import { ACCOUNTS, flood, rateOf, startLoadedNode } from './loaded-node.ts'

const PER_REQUEST = 500
const CONNECTIONS = 16

/** Name under which other benchmarks of the run find the rate. */
export const TRANSFER_RATE = 'execution.transfers'

/** The main figure: signed transfers through the public API to the disk. */
export const transfers: Benchmark = {
  name: 'execution.transfers',
  description: 'signed transfers, GraphQL batches of 500, to committed; 2 shards, half of them across; none lost',
  async *run(bench) {
    const { seconds = 60 } = bench.options
    const loaded = await startLoadedNode(bench, { perRequest: PER_REQUEST })
    const before = await verifyRate(bench, loaded.plan)
    const result = await flood(bench, loaded, { connections: CONNECTIONS, seconds })
    const after = await verifyRate(bench, loaded.plan)
    await audit(loaded.node, {
      acknowledged: await loaded.generator.ask({ kind: 'acknowledged' }),
      accounts: ACCOUNTS,
    })
    bench.say('audited: every one is stored, ran to its end, and balances and fees add up')
    bench.found.set(TRANSFER_RATE, rateOf(result))
    yield figure({
      name: 'signed transfers, batches of 500',
      value: rateOf(result),
      unit: 'tx/s',
      // What other work takes from this machine comes and goes: before and after.
      reference: { name: 'libsodium verify, 2 threads', value: (before + after) / 2 },
      target: { ratioAtLeast: 0.5, atLeast: 10_000 },
    })
  },
}
