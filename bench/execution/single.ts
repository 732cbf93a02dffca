import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { audit } from '../node/audit.ts'
import { plainServer } from '../reference/plain-http.ts'
import { ACCOUNTS, flood, rateOf, startLoadedNode } from './loaded-node.ts'

/** Clients that each wait for their answer: at 30 ms an answer they can ask for 17,000 a second. */
const CONNECTIONS = 512
const REFERENCE_SECONDS = 3

/** A transaction a request, as wallets send them. */
export const single: Benchmark = {
  name: 'execution.single',
  description: 'signed transfers, one a request, 512 clients that each wait for INCLUDED',
  async *run(bench) {
    const { seconds = 20 } = bench.options
    const loaded = await startLoadedNode(bench, { perRequest: 1 })
    const result = await flood(bench, loaded, { connections: CONNECTIONS, seconds })
    await audit(loaded.node, {
      acknowledged: await loaded.generator.ask({ kind: 'acknowledged' }),
      accounts: ACCOUNTS,
    })
    const { answer } = await loaded.generator.ask({ kind: 'sample' })
    const port = await plainServer(bench, answer)
    const run = { kind: 'same', port, connections: CONNECTIONS } as const
    await loaded.generator.ask({ ...run, seconds: 1 })
    const plain = await loaded.generator.ask({ ...run, seconds: REFERENCE_SECONDS })
    yield figure({
      name: 'signed transfers, one a request',
      value: rateOf(result),
      unit: 'tx/s',
      reference: { name: 'plain node:http, same bytes', value: (1000 * plain.requests) / plain.ms },
      target: { atLeast: 6000 },
    })
  },
}
