import { type ExecutionResult, parse, subscribe } from 'graphql'
import { ANONYMOUS, type Context } from '../../../schema/index.ts'
import { definePlugin } from '../../../server/plugin.ts'
import { createTestHost, type TestHost } from '../../../server/testing/index.ts'
import { BlockCommitted, Credited, Ledger } from '../api.ts'
import { WrittenLedger } from '../query/written-ledger.ts'
import { FakeLedger } from './fake-ledger.ts'
import { heightGateOf } from './height-gate.ts'
import { executionGraphql } from './index.ts'

/** For tests: the execution plugin's schema over its real tables, with a fake ledger. */
export interface GraphqlFixture {
  readonly host: TestHost
  readonly ledger: FakeLedger
  readonly tables: WrittenLedger
  /** What a document gives; throws if there are errors. */
  query(document: string, variables?: Record<string, unknown>): Promise<unknown>
  /** The code of the only error. */
  refusal(document: string, variables?: Record<string, unknown>): Promise<unknown>
  /** Starts a subscription. */
  follow(document: string, variables?: Record<string, unknown>): Promise<AsyncGenerator<ExecutionResult>>
  /** The SQL statements of a query, in order. */
  statements(document: string, variables?: Record<string, unknown>): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function createGraphqlFixture(): Promise<GraphqlFixture> {
  const ledger = new FakeLedger()
  const plugin = definePlugin({
    name: 'execution',
    version: '1.0.0',
    api: '^1.0.0',
    topics: [BlockCommitted, Credited],
    migrations: new URL('../migrations/', import.meta.url),
    provides: () => [[Ledger, ledger]],
    graphql: executionGraphql,
    beforeRequest: (context, host) => heightGateOf(host).pass(context),
  })
  const host = await createTestHost({ plugins: [plugin()] })
  const sql = host.sql('execution')
  let seen: string[] = []
  Object.assign(sql.options, { debug: (_connection: number, text: string) => seen.push(text) })
  return {
    host,
    ledger,
    tables: new WrittenLedger(sql),
    async query(document, variables) {
      const { data, errors } = await host.execute(document, variables)
      if (errors !== undefined) throw errors[0]
      // Graphql makes objects without a prototype.
      return JSON.parse(JSON.stringify(data))
    },
    async refusal(document, variables) {
      const { errors = [] } = await host.execute(document, variables)
      return errors.length === 1 ? errors[0]?.extensions.code : errors
    },
    async follow(document, variableValues = {}) {
      const result = await subscribe({
        schema: host.schema,
        document: parse(document),
        variableValues,
        contextValue: context(),
      })
      if (Symbol.asyncIterator in result) return result as AsyncGenerator<ExecutionResult>
      throw result.errors?.[0] ?? new TypeError('no subscription')
    },
    async statements(document, variables) {
      seen = []
      const { errors } = await host.execute(document, variables)
      if (errors !== undefined) throw errors[0]
      return seen
    },
    stop: () => host.stop(),
  }
}

const context = (): Context => ({
  requestId: 'test',
  signal: new AbortController().signal,
  principal: ANONYMOUS,
  requestExtensions: {},
  responseExtensions: {},
})
