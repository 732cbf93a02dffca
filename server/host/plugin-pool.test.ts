import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HttpServer } from '../http/index.ts'
import { definePlugin } from '../plugin.ts'
import { createTestHost, type TestHost } from '../testing/index.ts'

/** A plugin whose author never thought of requests that are given up. */
const sleeper = definePlugin({
  name: 'sleeper',
  version: '1.0.0',
  api: '^1.0.0',
  graphql(builder, host) {
    builder.queryFields((t) => ({
      sleep: t.boolean({
        resolve: async () => {
          await host.sql`SELECT pg_sleep(60)`
          return true
        },
      }),
      twice: t.int({
        resolve: async () => {
          const [a, b] = await Promise.all([host.sql`SELECT 1 AS n`, host.sql`SELECT 2 AS n`])
          return Number(a[0]?.n) + Number(b[0]?.n)
        },
      }),
    }))
    builder.mutationFields((t) => ({
      write: t.boolean({
        resolve: async () => {
          await host.sql.begin(async (tx) => {
            await tx`CREATE TABLE half (n integer)`
            await tx`SELECT pg_sleep(60)`
          })
          return true
        },
      }),
    }))
  },
})

describe('the SQL of a request', () => {
  let host: TestHost
  let server: HttpServer
  beforeAll(async () => {
    host = await createTestHost({ plugins: [sleeper()] })
    server = await host.serve()
  })
  afterAll(() => host.stop())

  const sleeping = async (): Promise<number> => {
    const [row] = await host.sql('core')<{ count: number }[]>`
      SELECT count(*)::integer FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'active' AND wait_event = 'PgSleep'`
    return row?.count ?? 0
  }
  const ask = (query: string, init: RequestInit = {}) =>
    fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-deaios-usage': '1' },
      body: JSON.stringify({ query }),
      ...init,
    })

  it('ends in the database when the client goes away', async () => {
    const abort = new AbortController()
    const answers = ['{ sleep }', 'mutation { write }'].map((query) => ask(query, { signal: abort.signal }))
    const gone = answers.map((answer) => expect(answer).rejects.toThrow())
    await expect.poll(sleeping).toBe(2)
    abort.abort()
    await Promise.all(gone)
    await expect.poll(sleeping).toBe(0)
    const [half] = await host.sql('sleeper')<{ found: string | null }[]>`SELECT to_regclass('half')::text AS found`
    expect(half?.found).toBeNull()
  })

  it('is counted, for those who ask', async () => {
    expect(await (await ask('{ twice }')).json()).toMatchObject({
      data: { twice: 3 },
      extensions: { usage: { statements: 2 } },
    })
  })

  it('ends when the node is told to stop', async () => {
    const answer = ask('{ sleep }')
    await expect.poll(sleeping).toBe(1)
    await server.close(50)
    const response = await answer
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { errors: [{ extensions: { code: 'DRAINING' } }] },
    ])
    await expect.poll(sleeping).toBe(0)
  })
})
