import { type Client, createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createIdentityFixture, type IdentityFixture } from './testing/identity-fixture.ts'

const until = (check: () => unknown) => vi.waitUntil(check, { timeout: 20_000, interval: 10 })

let node: IdentityFixture
beforeAll(async () => {
  node = await createIdentityFixture()
})
afterAll(() => node.stop())

/** What a client of the protocol sees. */
async function connect(token: string | undefined) {
  const seen: unknown[] = []
  const client: Client = createClient({
    url: (await node.url()).replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    on: { closed: (event) => seen.push(['closed', Object(event).code]) },
  })
  const ask = (query: string) =>
    client.subscribe<Record<string, unknown>>(
      { query },
      {
        next: ({ data, errors }) => seen.push(errors === undefined ? data : errors[0]?.extensions?.code),
        error: (error) => seen.push(['error', Array.isArray(error) ? error[0]?.extensions?.code : Object(error).code]),
        complete: () => seen.push('complete'),
      },
    )
  return { client, seen, ask }
}

const ALARMS = 'subscription { alarms }'

describe('a WebSocket', () => {
  test('knows its client by the connection parameters', async () => {
    const { token } = await node.key({ scopes: ['vault:open'] })
    const { client, seen, ask } = await connect(token)
    ask('{ locked }')
    await until(() => seen.includes('complete'))
    expect(seen[0]).toEqual({ locked: 'gold' })
    await client.dispose()
  })

  test('does not open for a key that is not good', async () => {
    const { seen, ask } = await connect(`dk_${'0'.repeat(16)}_${'0'.repeat(64)}`)
    ask('{ open }')
    await until(() => seen.some((event) => Array.isArray(event) && event[0] === 'closed'))
    expect(seen).toContainEqual(['closed', 4403])
  })

  test('refuses a subscription to strangers, before it starts', async () => {
    const { client, seen, ask } = await connect(undefined)
    ask(ALARMS)
    await until(() => seen.length > 0)
    expect(seen[0]).toBe('UNAUTHENTICATED')
    await client.dispose()
  })

  test('ends with its key', async () => {
    const { token, id } = await node.key({ scopes: ['vault:open'] })
    const { seen, ask } = await connect(token)
    ask(ALARMS)
    await until(() => seen.length > 0)
    expect(seen).toEqual([{ alarms: 'armed' }])
    const operator = await node.key({ scopes: ['*'] })
    await node.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }', { id }, operator.token)
    await until(() => seen.some((event) => Array.isArray(event) && event[0] === 'closed'))
    expect(seen).toContainEqual(['closed', 4403])
  })

  test('answers no more, even if nobody told it that its key has ended', async () => {
    const { token, id } = await node.key({ scopes: ['vault:open'] })
    const { seen, ask } = await connect(token)
    ask(ALARMS)
    await until(() => seen.length > 0)
    await node.host.sql('core')`update core.api_key set revoked_at = now() where id = ${id}`
    await until(() => {
      ask('{ locked }')
      return seen.some((event) => Array.isArray(event) && event[0] === 'closed')
    })
  })

  test('is held to the rate of its key', async () => {
    const { token } = await node.key({ scopes: ['vault:open'], rate: { perSecond: 1, burst: 3 } })
    const { client, seen, ask } = await connect(token)
    for (let n = 0; n < 10; n++) ask('{ open }')
    await until(() => seen.some((event) => Array.isArray(event) && event[1] === 'RATE_LIMITED'))
    await client.dispose()
  })
})

test('a stream over HTTP ends with its key, too', async () => {
  const { token, id } = await node.key({ scopes: ['vault:open'] })
  const response = await fetch(await node.url(), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: ALARMS }),
  })
  const text = response.text()
  const operator = await node.key({ scopes: ['*'] })
  await node.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }', { id }, operator.token)
  expect(await text).toContain('UNAUTHENTICATED')
})

test('a request that comes too often is told when to come again', async () => {
  const { token } = await node.key({ rate: { perSecond: 1, burst: 1 } })
  await node.ask('{ open }', {}, token)
  const { status, errors, headers } = await node.ask('{ open }', {}, token)
  expect({ status, extensions: errors[0]?.extensions, header: headers.get('retry-after') }).toEqual({
    status: 429,
    extensions: { code: 'RATE_LIMITED', retryAfter: 1 },
    header: '1',
  })
  const general = await fetch(await node.url(), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${token}`,
    },
    body: '{"query":"{ open }"}',
  })
  expect([general.status, general.headers.get('retry-after')]).toEqual([429, '1'])
})
