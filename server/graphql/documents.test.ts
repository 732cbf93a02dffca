import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { zooSchema } from './fixtures/zoo.ts'
import { PersistedDocuments } from './persisted.ts'
import { readTrustedDocuments, trustedDocuments } from './trusted-documents.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const byHash = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: hash(text) } })
const HELLO = '{ hello }'
const DEEP = `{ animal(id: "a") ${'{ friends '.repeat(30)} { id } ${'}'.repeat(30)} }`

interface Answer {
  readonly data?: unknown
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[]
}

const clientOf = (server: () => HttpServer) => {
  const read = async (response: Response) => {
    const answer = (await response.json()) as Answer
    return { status: response.status, ...answer, code: answer.errors?.[0]?.extensions.code }
  }
  return {
    post: async (body: object) =>
      read(
        await fetch(server().url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    get: async (search: Record<string, string>, headers: Record<string, string> = {}) =>
      read(await fetch(`${server().url}?${new URLSearchParams(search)}`, { headers })),
  }
}

const ways = [
  ['the short way', true],
  ['the general way', false],
] as const

describe.each(ways)('a document that is named by its hash, answered %s', (_way, hotPath) => {
  let server: HttpServer
  beforeAll(async () => {
    server = await createHttpServer({ schema: zooSchema(), log: silentLog, port: 0, hotPath })
  })
  afterAll(() => server.close())
  const { post, get } = clientOf(() => server)

  test('is asked for until someone has sent it, and known from then on', async () => {
    const query = 'query Named($n: String) { hello(name: $n) }'
    expect(await post({ extensions: byHash(query) })).toMatchObject({
      status: 200,
      code: 'PERSISTED_QUERY_NOT_FOUND',
      errors: [{ message: 'PersistedQueryNotFound' }],
    })
    expect(await post({ query, extensions: byHash(query), variables: { n: 'a' } })).toMatchObject({
      data: { hello: 'hello a' },
    })
    for (const n of ['b', 'c', 'd'])
      expect(await post({ extensions: byHash(query), variables: { n } })).toMatchObject({
        status: 200,
        data: { hello: `hello ${n}` },
      })
  })

  test('comes by GET as well, with variables', async () => {
    const query = 'query ByGet($n: String) { hello(name: $n) }'
    const search = { extensions: JSON.stringify(byHash(query)), variables: '{"n":"get"}' }
    expect(await get(search)).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' })
    expect(await get({ ...search, query })).toMatchObject({ data: { hello: 'hello get' } })
    expect(await get(search)).toMatchObject({ data: { hello: 'hello get' } })
    expect(await get(search, { accept: 'application/graphql-response+json' })).toMatchObject({
      data: { hello: 'hello get' },
    })
  })

  test('may be a mutation by POST only', async () => {
    const query = 'mutation Step { step(name: "x", ms: 0) }'
    expect(await post({ query, extensions: byHash(query) })).toMatchObject({ data: { step: 'x' } })
    expect(await get({ extensions: JSON.stringify(byHash(query)) })).toMatchObject({
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
    })
  })

  test('is refused under a hash that is not its own, and is not known by it', async () => {
    const lie = byHash('{ away }')
    expect(await post({ query: HELLO, extensions: lie })).toMatchObject({ code: 'PERSISTED_QUERY_HASH_MISMATCH' })
    expect(await post({ extensions: lie })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' })
  })

  test('has the same limits as any other, and is not kept when it is refused', async () => {
    for (const query of [DEEP, '{ nothing }', '{ hello']) {
      expect((await post({ query, extensions: byHash(query) })).code).toMatch(/TOO_DEEP|VALIDATION_FAILED|PARSE_FAILED/)
      expect(await post({ extensions: byHash(query) })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' })
    }
  })

  test.each([
    ['null', null, 'BAD_REQUEST'],
    ['a text', 'abc', 'BAD_REQUEST'],
    ['without a hash', { version: 1 }, 'BAD_REQUEST'],
    ['with half a hash', { version: 1, sha256Hash: 'abc' }, 'BAD_REQUEST'],
    ['with a number for a hash', { version: 1, sha256Hash: 7 }, 'BAD_REQUEST'],
    ['of another version', { version: 2, sha256Hash: hash(HELLO) }, 'PERSISTED_QUERY_NOT_SUPPORTED'],
  ])('is refused when its extension is %s', async (_what, persistedQuery, code) => {
    expect(await post({ extensions: { persistedQuery } })).toMatchObject({ code })
    expect(await post({ query: HELLO, extensions: { persistedQuery } })).toMatchObject({ code })
  })

  test('has no id in a node that was given none', async () => {
    expect(await post({ documentId: 'a' })).toMatchObject({ code: 'DOCUMENT_UNKNOWN' })
  })

  test('in a URL is refused with a code when it is not well formed', async () => {
    expect(await get({ variables: '{' })).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(await get({ query: HELLO, extensions: '[]' })).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(await get({})).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  })
})

describe.each(ways)('a node that answers only documents that it was given, %s', (_way, hotPath) => {
  const documents = {
    hello: 'query Hello($n: String) { hello(name: $n) }',
    deep: DEEP,
    old: '{ removedField }',
    count: 'subscription { count(to: 2) }',
    [hash(HELLO)]: HELLO,
  }
  let server: HttpServer
  const warnings: unknown[] = []
  beforeAll(async () => {
    const log = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line[0]) }
    const trusted = trustedDocuments(Object.entries(documents), true)
    server = await createHttpServer({ schema: zooSchema(), log, port: 0, hotPath, trusted })
  })
  afterAll(() => server.close())
  const { post, get } = clientOf(() => server)

  test('finds them by their id', async () => {
    const variables = { n: 'you' }
    for (const body of [
      { documentId: 'hello', variables },
      { id: 'hello', variables },
      { documentId: 'hello', query: '', variables },
    ])
      expect(await post(body)).toMatchObject({ status: 200, data: { hello: 'hello you' } })
    expect(await get({ documentId: 'hello', variables: '{"n":"me"}' })).toMatchObject({ data: { hello: 'hello me' } })
    expect(await post({ extensions: byHash(HELLO) })).toMatchObject({ data: { hello: 'hello world' } })
  })

  test('takes their text too, and nothing else', async () => {
    expect(await post({ query: documents.hello })).toMatchObject({ data: { hello: 'hello world' } })
    const other = '{ animals { id } }'
    for (const body of [{ query: other }, { query: other, extensions: byHash(other) }])
      expect(await post(body)).toMatchObject({ code: 'DOCUMENT_NOT_TRUSTED' })
    expect(await get({ query: other })).toMatchObject({ code: 'DOCUMENT_NOT_TRUSTED' })
    expect(await post({ query: other, documentId: 'hello' })).toMatchObject({ code: 'DOCUMENT_NOT_TRUSTED' })
    expect(await post({ extensions: byHash(other) })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_SUPPORTED' })
    expect(await post({ documentId: 'unheard of' })).toMatchObject({ code: 'DOCUMENT_UNKNOWN' })
    expect(await post({ documentId: '__proto__' })).toMatchObject({ code: 'DOCUMENT_UNKNOWN' })
  })

  test('holds them to its limits, and warns of those that do not fit', async () => {
    expect(await post({ documentId: 'deep' })).toMatchObject({ code: 'QUERY_TOO_DEEP' })
    expect(await post({ documentId: 'old' })).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' })
    expect(warnings).toMatchObject([{ misfits: 2, ids: ['deep', 'old'] }])
  })

  test('does so over WebSocket', async () => {
    const socket = createClient({ url: server.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
    const all = async (payload: { query: string; documentId?: string }) => {
      const results: unknown[] = []
      for await (const { data } of socket.iterate(payload)) results.push(data)
      return results
    }
    expect(await all({ query: '', documentId: 'count' })).toEqual([{ count: 1 }, { count: 2 }])
    await expect(all({ query: 'subscription { forever }' })).rejects.toMatchObject([
      { extensions: { code: 'DOCUMENT_NOT_TRUSTED' } },
    ])
    await socket.dispose()
  })
})

test('hashes are remembered for as many documents as there is room for', () => {
  const documents = new PersistedDocuments()
  const textOf = (n: number) => `{ hello(name: "${n}${'x'.repeat(10_000)}") }`
  for (let n = 0; n < 1000; n++) documents.keep({ query: textOf(n), extensions: byHash(textOf(n)) })
  expect(documents.find({ extensions: byHash(textOf(0)) }).ok).toBe(false)
  expect(documents.find({ extensions: byHash(textOf(999)) })).toEqual({ ok: true, value: textOf(999) })
})

describe('a manifest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'deaios-manifest-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const read = (content: string) => {
    const file = join(folder, 'documents.json')
    writeFileSync(file, content)
    return readTrustedDocuments(file, true)
  }

  test('may be a map, or of Apollo’s format', async () => {
    expect([...(await read('{"a":"{ hello }"}')).byId]).toEqual([['a', HELLO]])
    const apollo = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'b', name: 'B', type: 'query', body: HELLO }],
    }
    expect([...(await read(JSON.stringify(apollo))).byId]).toEqual([['b', HELLO]])
  })

  test.each(['', '[]', '{"a":1}', '{"":"{ hello }"}', 'null'])(
    'that is %j is refused, naming the file',
    async (content) => {
      await expect(read(content)).rejects.toMatchObject({
        code: 'DOCUMENTS_INVALID',
        message: expect.stringContaining('documents.json'),
      })
    },
  )

  test('that is not there is refused', async () => {
    await expect(readTrustedDocuments(join(folder, 'none.json'), true)).rejects.toMatchObject({
      code: 'DOCUMENTS_INVALID',
      message: expect.stringContaining('ENOENT'),
    })
  })
})
