import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { generateKeyPair } from '../client/index.ts'
import { LedgerModules } from '../plugins/execution/api.ts'
import { counter } from '../plugins/execution/fixtures/counter.ts'
import { counter2 } from '../plugins/execution/fixtures/counter-2.ts'
import execution from '../plugins/execution/index.ts'
import { createHttpServer, type HttpServer } from '../server/http/index.ts'
import { silentLog } from '../server/log.ts'
import { definePlugin } from '../server/plugin.ts'
import { createTestHost, type TestHost } from '../server/testing/index.ts'
import { answerOf, command } from './testing.ts'

const counting = definePlugin({
  name: 'counting',
  version: '1.0.0',
  api: '^1.0.0',
  dependsOn: { execution: '^1.0.0' },
  contributes: [
    [LedgerModules, counter],
    [LedgerModules, counter2],
  ],
})

let host: TestHost
let server: HttpServer
let folder: string
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-cli-'))
  host = await createTestHost({ plugins: [execution({ rootIntervalMs: 20 }), counting()] })
  server = await createHttpServer({ schema: host.schema, log: silentLog, port: 0 })
  await copyFile(join(host.dataDir, 'execution', 'operator.key'), file('operator.key'))
  await chmod(file('operator.key'), 0o600)
})
afterAll(async () => {
  await server?.close(0)
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

const deaios = (...words: string[]) => command(...words, '--url', server.url)
/** One that the operator signs. */
const operate = (...words: string[]) => deaios(...words, '--key-file', file('operator.key'))

const json = (...words: string[]) => answerOf(...words, '--url', server.url, '--key-file', file('operator.key'))

/** Root blocks come fast as long as somebody pays: an idle network makes one a second. */
async function whileBusy<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const end = (): void => {
    isOver = true
  }
  work.then(end, end)
  while (!isOver) {
    const address = generateKeyPair().address
    await host.execute('mutation ($address: Bytes!) { faucet(address: $address) { __typename } }', { address })
  }
  return work
}

const said = (code: string): unknown => ({ code: 1, out: '', err: expect.stringMatching(new RegExp(`^${code}: `)) })

describe('deaios module', () => {
  it('lists what the network uses and what the node has besides', async () => {
    const { out } = await deaios('module', 'list')
    expect(out).toMatch(/^module +version +status +from root height/)
    expect(out).toMatch(/^account +1 +ACTIVE +0$/m)
    expect(out).toMatch(/^counter +1 +UNUSED$/m)
    expect(out).toMatch(/^counter +2 +ACTIVE +0$/m)
  })

  it('switches to another version at a root height, and back', async () => {
    const switched = await whileBusy(json('module', 'activate', 'counter', '1', '--at', '+40', '--wait'))
    expect(switched).toMatchObject({ name: 'counter', version: 1, transaction: expect.stringMatching(/^0x/) })
    const { activeFrom, rootHeight } = z.object({ activeFrom: z.int(), rootHeight: z.int() }).parse(switched)
    expect(rootHeight).toBeGreaterThanOrEqual(activeFrom)
    expect((await deaios('module', 'list')).out).toMatch(/^counter +1 +ACTIVE/m)
    const { code, out } = await operate('module', 'activate', 'counter', '2', '--at', '+1000')
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^used +from root height \d+ on; it is \d+ now$/m),
    })
    expect((await deaios('module', 'list')).out).toMatch(/^counter +2 +SCHEDULED/m)
  })

  it('takes back what has not begun', async () => {
    expect(await json('module', 'cancel', 'counter')).toMatchObject({ name: 'counter' })
    expect((await deaios('module', 'list')).out).toMatch(/^counter +1 +ACTIVE.*\ncounter +2 +ENDED/m)
    expect(await operate('module', 'cancel', 'counter')).toEqual(said('NOTHING_SCHEDULED'))
  })

  it('does not let a network stop for want of a module', async () => {
    expect(await operate('module', 'activate', 'nothing', '1', '--at', '+5')).toEqual(said('MODULE_MISSING'))
    expect(await operate('module', 'activate', 'counter', '3', '--at', '+5')).toEqual(said('MODULE_MISSING'))
    expect(await operate('module', 'activate', 'counter', '1', '--at', '+5')).toEqual(said('ALREADY_ACTIVE'))
  })

  it('says why the root chain refuses', async () => {
    expect(await operate('module', 'activate', 'counter', '3', '--force', '--at', '1')).toEqual(said('HEIGHT_PASSED'))
    expect(await operate('module', 'activate', 'counter', '0', '--at', '+5')).toMatchObject({ code: 2 })
    expect(await operate('module', 'activate', 'counter', '1', '--at', 'soon')).toMatchObject({ code: 2 })
    expect(await operate('module', 'activate', 'counter', '1')).toMatchObject({ code: 2 })
  })
})

describe('whose key signs', () => {
  it('is a matter of a file that nobody else can read', async () => {
    const activate = (key: string) =>
      deaios('module', 'activate', 'counter', '3', '--at', '+9', '--force', '--key-file', key)
    expect(await activate(file('nothing'))).toEqual(said('KEY_UNREADABLE'))
    await writeFile(file('exposed'), `${'ab'.repeat(32)}\n`, { mode: 0o644 })
    expect(await activate(file('exposed'))).toEqual(said('KEY_EXPOSED'))
    await writeFile(file('rubbish'), 'rubbish', { mode: 0o600 })
    expect(await activate(file('rubbish'))).toEqual(said('WALLET_INVALID'))
  })

  it('decides what it may do', async () => {
    await command('wallet', 'new', '--out', file('alice.wallet'))
    await deaios('faucet', file('alice.wallet'))
    const alice = ['--key-file', file('alice.wallet')]
    expect(await deaios('module', 'activate', 'counter', '3', '--at', '+99', '--force', ...alice)).toEqual(
      said('NOT_ALLOWED'),
    )
    expect(await deaios('shard', 'split', '0:0', ...alice)).toEqual(said('NOT_ALLOWED'))
  })
})

describe('deaios shard', () => {
  it('lists shards, and says which there are none of', async () => {
    const { out } = await deaios('shard', 'list')
    expect(out).toMatch(/^shard +status +height +load +waiting +price +congestion +parent/)
    expect(out).toMatch(/^0:0 +RUNNING +\d+ +\d+ % +\d+ +1 +\d+ %$/m)
    expect((await deaios('shard', 'list', '--realm', '7')).out).not.toContain('RUNNING')
    expect(await operate('shard', 'split', '0:0101')).toEqual(said('UNKNOWN_SHARD'))
    expect(await operate('shard', 'split', 'one')).toMatchObject({ code: 2 })
  })
})

describe('deaios shard split', () => {
  it('ends when both halves make blocks, and says from which root height on', async () => {
    const split = await json('shard', 'split', '0:0')
    expect(split).toMatchObject({ shard: '0:0', children: ['0:00', '0:01'], at: expect.any(Number) })
    const { out } = await deaios('shard', 'list')
    expect(out).toMatch(/^0:0 +SPLIT/m)
    expect(out).toMatch(/^0:00 +RUNNING .* 0:0$/m)
    // The accounts are where they were asked for before.
    expect(await deaios('faucet', file('alice.wallet'))).toMatchObject({ code: 0 })
    expect(await operate('shard', 'split', '0:0')).toEqual(said('UNKNOWN_SHARD'))
    expect(await operate('shard', 'split', '0:1', '--no-wait')).toMatchObject({ code: 0 })
  })
})

describe('deaios realm', () => {
  it('makes a realm whose shards run, and lists it', async () => {
    const made = await json('realm', 'create', 'games', '--shards', '2')
    expect(made).toMatchObject({ realm: 1, name: 'games', shards: ['1:0', '1:1'], from: expect.any(Number) })
    expect((await deaios('realm', 'list')).out).toMatch(/^1 +games +\d+ +1:0 1:1 +0x/m)
    expect((await deaios('shard', 'list', '--realm', '1')).out).toMatch(/^1:1 +RUNNING/m)
    expect(await operate('realm', 'create', 'games')).toEqual(said('REALM_EXISTS'))
    const poor = ['--key-file', file('alice.wallet')]
    expect(await deaios('realm', 'create', 'others', ...poor)).toEqual(said('INSUFFICIENT_FUNDS'))
  })

  it('lists realms', async () => {
    const { out } = await deaios('realm', 'list', '--json')
    expect(JSON.parse(out)).toMatchObject({ realms: [{ number: 0, name: 'deaios', creator: null }, { number: 1 }] })
    expect((await deaios('realm', 'list')).out).toMatch(/^0 +deaios +0 +0:0 0:00 0:01 0:1/m)
    expect(await operate('realm', 'create', 'Games!')).toMatchObject({ code: 2 })
    expect(await operate('realm', 'create', 'games', '--shards', '3')).toMatchObject({ code: 2 })
  })
})
