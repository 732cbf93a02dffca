import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import execution from '../plugins/execution/index.ts'
import { createHttpServer, type HttpServer } from '../server/http/index.ts'
import { silentLog } from '../server/log.ts'
import { createTestHost, type TestHost } from '../server/testing/index.ts'
import { answerOf, command } from './testing.ts'

let host: TestHost
let server: HttpServer
let folder: string
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-cli-'))
  host = await createTestHost({ plugins: [execution({ rootIntervalMs: 20 })] })
  server = await createHttpServer({ schema: host.schema, log: silentLog, port: 0 })
})
afterAll(async () => {
  await server?.close(0)
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Words that ask get the node's address. */
const atNode = (words: readonly string[]) => (words[0] === 'wallet' ? words : [...words, '--url', server.url])
const deaios = (...words: string[]) => command(...atNode(words))
const json = (...words: string[]) => answerOf(...atNode(words))

describe('a wallet', () => {
  it('is a file that only its owner can read, and its secret is not shown', async () => {
    const { out } = await deaios('wallet', 'new', '--out', file('first.wallet'))
    const { secret, address } = z
      .object({ secret: z.string(), address: z.string() })
      .parse(JSON.parse(await readFile(file('first.wallet'), 'utf8')))
    expect((await stat(file('first.wallet'))).mode & 0o777).toBe(0o600)
    expect(out).toContain(address)
    expect(out).not.toContain(secret)
    expect(await json('wallet', 'show', file('first.wallet'))).toEqual({ address, file: file('first.wallet') })
    expect(await json('wallet', 'show', file('first.wallet'), '--show-secret')).toMatchObject({ secret })
  })

  it('is never written over, and not used if others can read it', async () => {
    const before = await readFile(file('first.wallet'), 'utf8')
    expect(await deaios('wallet', 'new', '--out', file('first.wallet'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^WALLET_EXISTS: /),
    })
    expect(await readFile(file('first.wallet'), 'utf8')).toBe(before)
    await chmod(file('first.wallet'), 0o644)
    const { code, err } = await deaios('account', file('first.wallet'))
    expect(code).toBe(1)
    expect(err).toMatch(/^WALLET_EXPOSED: .*chmod 600/)
    await chmod(file('first.wallet'), 0o600)
  })

  it('can be made to live in a shard', async () => {
    await deaios('wallet', 'new', '--out', file('alice.wallet'), '--shard', '0:0')
    await deaios('wallet', 'new', '--out', file('bob.wallet'), '--shard', '0:1')
    expect(await json('account', file('alice.wallet'))).toMatchObject({ balance: '0', shard: '0:0', lanes: [] })
    expect(await json('account', '--wallet', file('bob.wallet'))).toMatchObject({ balance: '0', shard: '0:1' })
    expect(await deaios('wallet', 'new', '--out', file('x.wallet'), '--shard', '0:01010101010')).toMatchObject({
      code: 2,
    })
    expect(await deaios('wallet', 'new', '--out', file('x.wallet'), '--shard', 'one')).toMatchObject({ code: 2 })
  })
})

describe('coins', () => {
  it('come from the faucet, go to another shard, and are seen there', async () => {
    const { address } = await json('wallet', 'show', file('alice.wallet'))
    expect(await json('faucet', file('alice.wallet'))).toMatchObject({ address, balance: '100000000000' })
    const paid = await json(
      'transfer',
      '--from',
      file('alice.wallet'),
      '--to',
      file('bob.wallet'),
      '--amount',
      '1.5',
      '--wait',
    )
    expect(paid).toMatchObject({ status: 'EXECUTED', from: address, value: '1500000000', shard: '0:0' })
    expect(await json('account', file('bob.wallet'))).toMatchObject({ balance: '1500000000' })
    expect((await deaios('account', file('bob.wallet'))).out).toContain('1.5 DEA (1500000000 units)')

    const id = String(paid.id)
    expect(await json('tx', id)).toMatchObject({ id, status: 'EXECUTED', shard: '0:0' })
    expect((await deaios('tx', id, '--watch')).out).toMatch(/^EXECUTED\ntransaction +0x/)
    const small = await json(
      'transfer',
      '--from',
      file('alice.wallet'),
      '--to',
      file('bob.wallet'),
      '--amount',
      '7',
      '--units',
      '--wait',
    )
    expect(small).toMatchObject({ value: '7' })
  })

  it('cannot be spent twice, nor sent nowhere', async () => {
    const pay = (...words: string[]) => deaios('transfer', '--from', file('bob.wallet'), ...words)
    expect(await pay('--to', file('alice.wallet'), '--amount', '500')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^INSUFFICIENT_FUNDS: /),
    })
    expect(await pay('--to', '0x1234', '--amount', '1')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^BAD_ADDRESS: /),
    })
    expect(await pay('--to', file('alice.wallet'), '--amount', '1.5', '--units')).toMatchObject({ code: 2 })
    expect(await pay('--to', file('alice.wallet'), '--amount', '1,5')).toMatchObject({ code: 2 })
    expect(await pay('--to', file('alice.wallet'))).toMatchObject({ code: 2 })
  })
})

describe('a node', () => {
  it('says how it is', async () => {
    expect(await json('status')).toMatchObject({
      network: { kind: 'DEVELOPMENT' },
      plugins: [{ name: 'execution', status: 'RUNNING' }],
      shards: [{ id: '0:0' }, { id: '0:1', status: 'RUNNING' }, { id: 'root', status: 'RUNNING' }],
    })
    expect((await deaios('status')).out).toMatch(/shard +0:1 +RUNNING/)
  })

  it('is asked anything, also for what goes on', async () => {
    expect(
      await json('query', 'query ($id: String!) { shard(id: $id) { prefix } }', '--variables', '{"id":"0:1"}'),
    ).toEqual({
      shard: { prefix: '1' },
    })
    expect(await deaios('query', '{ nothing }')).toMatchObject({ code: 1, err: expect.stringMatching(/^GRAPHQL_/) })
    const { events } = await json('query', '{ events(first: 1) { edges { cursor } } }')
    const after = z.object({ edges: z.tuple([z.object({ cursor: z.string() })]) }).parse(events).edges[0].cursor
    const blocks = 'subscription ($after: Cursor) { blocks(after: $after) { height cursor } }'
    const { code, out } = await deaios('query', blocks, '--variables', JSON.stringify({ after }), '--first', '2')
    expect(code).toBe(0)
    const seen = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(seen).toMatchObject([{ blocks: { cursor: expect.any(String) } }, { blocks: { height: expect.any(String) } }])
    expect(await deaios('query', 'subscription { blocks { height } }', '--json')).toMatchObject({ code: 2 })
  })

  it('is named with its address if it is not there', async () => {
    const { code, err } = await command('status', '--url', 'http://127.0.0.1:1/graphql')
    expect(code).toBe(1)
    expect(err).toMatch(/^UNREACHABLE: http:\/\/127\.0\.0\.1:1\/graphql/)
  })

  it('does not know a transaction that nobody submitted', async () => {
    const id = `0x${'ab'.repeat(32)}`
    for (const words of [
      ['tx', id],
      ['tx', id, '--watch'],
    ]) {
      expect(await deaios(...words)).toMatchObject({ code: 1, err: expect.stringMatching(/^TRANSACTION_UNKNOWN: /) })
    }
    expect(await deaios('tx', '0x12')).toMatchObject({ code: 2 })
  })
})
