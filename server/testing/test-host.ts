import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExecutionResult, type GraphQLSchema, graphql, printSchema } from 'graphql'
import { ANONYMOUS } from '../../schema/index.ts'
import type { Bounds } from '../host/boot.ts'
import { checkPlugins } from '../host/check.ts'
import { type Node, startNode } from '../host/node.ts'
import { silentLog } from '../log.ts'
import type { ConfiguredPlugin } from '../plugin/define.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import { createTestDatabase } from './test-database.ts'

export interface TestHostOptions {
  /** Factories' results; their order does not matter. */
  readonly plugins: readonly ConfiguredPlugin[]
  readonly clock?: Clock
  /** Silent if absent. */
  readonly log?: Log
  readonly bounds?: Bounds
}

/** A node without a network side, on a database and in a data folder of its own. */
export interface TestHost {
  /** The node as it runs now; another one after `restart`. */
  readonly node: Node
  readonly schema: GraphQLSchema
  readonly sdl: string
  readonly dataDir: string
  /** Runs a document as an anonymous client would. */
  execute(document: string, variables?: Record<string, unknown>): Promise<ExecutionResult>
  /** A pool on a plugin's schema. */
  sql(plugin: string): Sql
  /** Stops the node and starts it again on the same data. */
  restart(): Promise<void>
  /** Stops the node and removes its data. */
  stop(): Promise<void>
}

/** Starts the plugins in a fresh node. Throws what `deaios start` would report. */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
  const plugins = checkPlugins(options.plugins)
  const [database, dataDir] = await Promise.all([createTestDatabase(), mkdtemp(join(tmpdir(), 'deaios-test-host-'))])
  const remove = async (): Promise<void> => {
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  }
  const start = (): Promise<Node> =>
    startNode({
      plugins,
      dataDir,
      log: options.log ?? silentLog,
      openDatabase: () => database.open(),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
    })
  let requests = 0
  let node: Node
  try {
    node = await start()
  } catch (error) {
    await remove()
    throw error
  }
  return {
    get node() {
      return node
    },
    get schema() {
      return node.schema
    },
    get sdl() {
      return printSchema(node.schema)
    },
    dataDir,
    execute: async (source, variableValues = {}) =>
      await graphql({
        schema: node.schema,
        source,
        variableValues,
        contextValue: {
          requestId: `test-${++requests}`,
          signal: new AbortController().signal,
          principal: ANONYMOUS,
          requestExtensions: {},
          responseExtensions: {},
        },
      }),
    sql: (plugin) => node.database.sql(plugin),
    async restart() {
      await node.stop()
      node = await start()
    },
    async stop() {
      await node.stop()
      await remove()
    },
  }
}
