import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { audit, messagesUnderWay } from '../node/audit.ts'
import { verifyRate } from '../reference/verify-rate.ts'
import { ACCOUNTS, flood, startLoadedNode } from './loaded-node.ts'

const ACTIONS = 100
const PER_REQUEST = 25
const CONNECTIONS = 16

/** Many actions under one signature: what execution, hashing and storing do when signatures cost little. */
export const actions: Benchmark = {
  name: 'execution.actions',
  description: 'actions with 100 in a transaction, executed and durable, events written; half of them across shards',
  async *run(bench) {
    const { seconds = 20 } = bench.options
    const loaded = await startLoadedNode(bench, { perRequest: PER_REQUEST, actions: ACTIONS })
    const before = await verifyRate(bench, loaded.plan)
    const result = await flood(bench, loaded, { connections: CONNECTIONS, seconds })
    // What is still on its way to the other shard was not executed in the measured time.
    const underWay = await messagesUnderWay(loaded.node)
    bench.say(`${underWay} actions were on their way to the other shard at the end, which do not count`)
    const after = await verifyRate(bench, loaded.plan)
    await audit(loaded.node, {
      acknowledged: await loaded.generator.ask({ kind: 'acknowledged' }),
      accounts: ACCOUNTS,
    })
    yield figure({
      name: 'actions, 100 in a transaction',
      value: (1000 * (ACTIONS * result.acknowledged - underWay)) / result.ms,
      unit: 'actions/s',
      reference: { name: 'libsodium verify of these transactions, 2 threads, x 100', value: 50 * (before + after) },
      target: { atLeast: 100_000 },
    })
  },
}
