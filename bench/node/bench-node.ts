import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { decodeGenesis, fromHex, type Genesis, toHex } from '../../protocol/index.ts'
import { CLUSTER_PORT, CLUSTER_USER, socketFolder } from '../../server/db/embedded/cluster.ts'
import { findIdentity } from '../../server/db/embedded/identity.ts'
import { connect, type Sql } from '../../server/plugin.ts'
import { runNode } from '../../server/testing/program.ts'
import { type Bench, BenchError } from '../benchmark.ts'
import { BENCH_BALANCE, benchKey } from '../load/plan.ts'

const MAIN = new URL('../../server/main.ts', import.meta.url).pathname
const CONFIG = new URL('../../server/config.ts', import.meta.url).href
const EXECUTION = new URL('../../plugins/execution/index.ts', import.meta.url).href

/** A node as `npm start` runs it, in a process of its own with data of its own. */
export interface BenchNode {
  readonly port: number
  /** Id of its network. */
  readonly network: Uint8Array
  readonly genesis: Genesis
  /** The execution plugin's tables, read beside the node. */
  readonly sql: Sql
  /** Asks in GraphQL and gives `data`. @throws BenchError NODE_FAILED */
  ask(query: string, variables?: Readonly<Record<string, unknown>>): Promise<unknown>
}

const Network = z.object({ network: z.object({ id: z.string(), genesis: z.string() }) })

/** Starts a node of two shards with embedded Postgres and these accounts; it ends with the bench. */
export async function startBenchNode(bench: Bench, accounts: number): Promise<BenchNode> {
  const folder = bench.folder()
  const config = join(folder, 'deaios.config.mjs')
  writeFileSync(config, configText(accounts))
  const data = join(folder, 'data')
  const program = runNode([MAIN, 'start', '--port', '0', '--data', data, '--config', config], {
    // Nothing of the caller's environment decides what is measured.
    env: { PATH: process.env.PATH },
  })
  bench.scope.defer(async () => {
    if (program.child.exitCode === null && program.child.signalCode === null) await program.end('SIGINT')
    if (program.output.err !== '') bench.say(`the node said: ${program.output.err.trim().slice(0, 2000)}`)
  })
  const ready = await program.line('ready ').catch((error: unknown) => {
    throw new BenchError('NODE_FAILED', 'the node did not start; above is what it said', error)
  })
  const port = Number(new URL(ready.slice('ready '.length)).port)
  const ask = (query: string, variables?: Readonly<Record<string, unknown>>) => askNode(port, query, variables)
  const { network } = Network.parse(await ask('{ network { id genesis } }'))
  const sql = connect(
    {
      host: socketFolder(data, findIdentity()),
      port: CLUSTER_PORT,
      user: CLUSTER_USER,
      database: 'postgres',
      searchPath: ['execution'],
    },
    { max: 1 },
  )
  bench.scope.defer(() => sql.end({ timeout: 1 }))
  return { port, network: fromHex(network.id), genesis: decodeGenesis(fromHex(network.genesis)), sql, ask }
}

function configText(accounts: number): string {
  const granted = Array.from({ length: accounts }, (_, index) => {
    return { address: toHex(benchKey(index).publicKey), balance: BENCH_BALANCE }
  })
  return [
    `import { defineConfig } from ${JSON.stringify(CONFIG)}`,
    `import execution from ${JSON.stringify(EXECUTION)}`,
    `const accounts = ${JSON.stringify(granted)}`,
    `export default defineConfig({ plugins: [execution({ genesis: { name: 'bench', shards: 2, accounts } })] })`,
    '',
  ].join('\n')
}

const Answer = z.object({ data: z.unknown(), errors: z.array(z.object({ message: z.string() })).optional() })

async function askNode(port: number, query: string, variables: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = Answer.parse(await response.json())
  if (errors === undefined) return data
  throw new BenchError('NODE_FAILED', `the node refused a query: ${errors[0]?.message}`)
}
