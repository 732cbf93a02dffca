import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cellId, cellPath, decodeHeader, equal, ZERO_HASH } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { counter } from '../fixtures/counter.ts'
import { heavy } from '../fixtures/heavy.ts'
import { storedNetwork } from '../genesis-store.ts'
import { account } from '../modules/account.ts'
import { faucet } from '../modules/faucet.ts'
import { type VerifyReport, verifyDatabase } from '../replay/verify.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../testing.ts'
import { SnapshotError } from './errors.ts'
import { importSnapshot } from './import-snapshot.ts'
import { readSnapshot } from './read-snapshot.ts'
import { readSections, SectionWriter } from './section-file.ts'
import { writeSnapshot } from './write-snapshot.ts'

const modules = [account, faucet, counter, heavy]
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const accounts = [alice, bob].map((key) => ({ key, balance: 10n ** 12n }))
const counted = cellId('counter', alice.publicKey, new Uint8Array(0))
let folder: string
let net: TestChain
/** Root heights at which something was going on, and what bob had when the payments so far were done. */
const moments: number[] = []
let paid = 0
/** Root height after which messages wait in bob's shard. */
let waiting = 0
/** A cell in bob's shard. */
const busy = Array.from({ length: 256 }, (_, i) => cellId('heavy', alice.publicKey, Uint8Array.of(i))).find(
  (id) => (cellPath(id)[0] ?? 0) >= 128,
)

/** More work than the blocks of bob's shard have room for, if it comes at once. */
async function storm(): Promise<void> {
  const work = Array.from({ length: 19 }, () => ({ to: busy ?? counted, call: 'heavy.work' }))
  const wires = Array.from({ length: 6 }, () =>
    net.sign({ key: alice, nonce: paid++, maxFee: 10n ** 9n, actions: [{ to: bob.publicKey, value: 10n }, ...work] }),
  )
  await net.chain.submit(wires, { wait: 'EXECUTED' })
}

/** A root height after which messages wait in bob's shard; 0 if there is none. */
async function whenSomethingWaits(): Promise<number> {
  const listed = await net.sql<{ root: bigint; header: Uint8Array }[]>`
    SELECT DISTINCT ON (root) root, header FROM root_entry JOIN block USING (shard, height)
    WHERE shard = '0:1' ORDER BY root, height DESC`
  const found = listed.find(({ header }) => !equal(decodeHeader(header).deferredRoot, ZERO_HASH))
  return Number(found?.root ?? 0)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-snapshot-'))
  // Cells are written to their table all the time: what it has is not what was then.
  net = await createTestChain({ accounts, modules, parts: { tuning: { foldCells: 1, foldMs: 1 } } })
  for (let round = 0; round < 4; round++) {
    const wires = Array.from({ length: 20 }, () =>
      net.sign({
        key: alice,
        nonce: paid++,
        actions: [
          { to: bob.publicKey, value: 10n },
          { to: testKey(`friend ${paid % 50}`).publicKey, value: 3n },
          { to: counted, call: 'counter.add', args: { by: 1 }, value: 300n },
        ],
      }),
    )
    await net.chain.submit(wires, { wait: 'INCLUDED' })
    const { length } = moments
    await until(() => net.chain.rootHeight() > (moments[length - 1] ?? 0), 'a root block')
    moments.push(net.chain.rootHeight())
    if (round === 2) await net.restart()
  }
  while (waiting === 0) {
    await storm()
    waiting = await whenSomethingWaits()
  }
  await net.settled()
  moments.push(net.chain.rootHeight())
})
afterAll(async () => {
  await net.close()
  await rm(folder, { recursive: true, force: true })
})

const CODES = /^(DAMAGED|FALSE_STATE|OTHER_NETWORK)$/
const fileOf = (name: string | number): string => join(folder, String(name))

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof SnapshotError) return error.code
  throw new TypeError(`expected a refusal, not ${String(error)}`)
}

/** A chain that goes on from a snapshot. */
const goOnFrom = (path: string): Promise<TestChain> =>
  createTestChain({
    modules,
    async found(sql) {
      await importSnapshot({ sql, path })
      const network = await storedNetwork(sql)
      if (network === undefined) throw new TypeError('nothing was imported')
      return network
    },
  })

const verified = ({ sql, modules: offered }: TestChain, from?: number): Promise<VerifyReport> =>
  verifyDatabase({ sql, offered, ...(from !== undefined && { from }) })

/** A ledger that began with the snapshot of `waiting` and stands still: from there on it is verified, whatever was changed. */
async function isVerified(copy: TestChain): Promise<void> {
  const { sql } = copy
  const { rootHeight, ...whole } = await verified(copy)
  expect(whole).toMatchObject({ from: waiting, snapshot: waiting })
  expect(whole.transactions).toBeGreaterThan(0)
  for (const from of [waiting, waiting + 1, waiting + 2, rootHeight])
    expect(await verified(copy, from), `from ${from}`).toMatchObject({ rootHeight, from, snapshot: waiting })
  expect(await codeOf(verified(copy, waiting - 1))).toBe('HISTORY_MISSING')
  const flipped = (bytes: string) => sql`set_byte(${sql(bytes)}, length(${sql(bytes)}) - 1,
    get_byte(${sql(bytes)}, length(${sql(bytes)}) - 1) # 1)`
  const changes = {
    cells: () => sql`UPDATE imported_state SET section = ${flipped('section')} WHERE name = 'cells'`,
    'waiting messages': () => sql`UPDATE imported_state SET section = ${flipped('section')} WHERE name = 'deferred'`,
    votes: () => sql`UPDATE root_block SET votes = ${flipped('votes')} WHERE height = ${waiting}`,
    'the first root block': () => sql`
      UPDATE root_block SET header = ${flipped('header')} WHERE height = (SELECT min(height) FROM root_block)`,
    'a last block': () => sql`
      UPDATE block SET body = ${flipped('body')} WHERE (shard, height) = (SELECT '0:1', min(height) FROM block WHERE shard = '0:1')`,
    'what the node reads': () => sql`
      UPDATE cell SET record = ${flipped('record')} WHERE realm = 0 AND path = (SELECT max(path) FROM cell WHERE realm = 0)`,
    exports: () => sql`UPDATE export SET value = ${flipped('value')} WHERE key = 'shard/0:1'`,
  }
  for (const [what, change] of Object.entries(changes)) {
    expect((await change()).count, what).toBeGreaterThan(0)
    await expect(verified(copy), what).rejects.toMatchObject({
      code: expect.stringMatching(/^(REPLAY_MISMATCH|DAMAGED)$/),
    })
    await change()
  }
  expect(await verified(copy)).toMatchObject({ rootHeight })
}

describe('a snapshot', () => {
  it('is the network at any height, and a ledger goes on from it', async () => {
    for (const height of [0, ...moments, waiting]) {
      await writeSnapshot({ sql: net.sql, path: fileOf(height), height })
      const report = await readSnapshot(fileOf(height), { network: net.network.id })
      expect(report).toMatchObject({ network: net.network.id, name: 'test', rootHeight: height, shards: 2 })
    }
    const copy = await goOnFrom(fileOf(waiting))
    try {
      expect((await copy.settled()).total).toBe(net.network.supply)
      // What of the payments was on its way arrives, whatever was not in a block yet is sent again.
      const [cell] = await copy.chain.cells(0, [alice.publicKey])
      const lanes = Array.isArray(cell?.value) ? cell.value[0] : undefined
      const nonce = Array.isArray(lanes) && Array.isArray(lanes[0]) ? Number(lanes[0][1]) : 0
      expect(await copy.balance(bob)).toBe(10n ** 12n + 10n * BigInt(nonce))
      const wire = copy.transfer(alice, bob, 5n, nonce)
      const [outcome] = await copy.chain.submit([wire], { wait: 'EXECUTED' })
      expect(outcome).toMatchObject({ kind: 'accepted', status: 'EXECUTED' })
      await copy.restart()
      expect(await copy.balance(bob)).toBe(10n ** 12n + 10n * BigInt(nonce) + 5n)
      expect(copy.chain.health()).toEqual({ ok: true })
      await copy.settled()
      await copy.chain.stop()
      await isVerified(copy)
      // It can be handed on, as it came and as it is now.
      await writeSnapshot({ sql: copy.sql, path: fileOf('as-it-came'), height: waiting })
      expect(await readFile(fileOf('as-it-came'))).toEqual(await readFile(fileOf(waiting)))
      await writeSnapshot({ sql: copy.sql, path: fileOf('as-it-is') })
      await readSnapshot(fileOf('as-it-is'))
      expect(await codeOf(writeSnapshot({ sql: copy.sql, path: fileOf('too-early'), height: waiting - 1 }))).toBe(
        'HISTORY_MISSING',
      )
      expect(await codeOf(importSnapshot({ sql: copy.sql, path: fileOf(waiting) }))).toBe('NOT_EMPTY')
    } finally {
      await copy.close()
    }
  })

  it('of the first root block begins a ledger that can be verified, too', async () => {
    const copy = await goOnFrom(fileOf(0))
    await copy.chain.submit([copy.transfer(alice, bob, 5n, 0)], { wait: 'EXECUTED' })
    await copy.settled()
    expect(await verified(copy)).toMatchObject({ from: 0, snapshot: 0, transactions: 1 })
    await copy.close()
  })

  it('is refused wherever one byte of it is another, and whatever is missing', async () => {
    const good = await readFile(fileOf(moments[1] ?? 0))
    const refused = async (bytes: Uint8Array): Promise<string> => {
      await writeFile(fileOf('bad'), bytes)
      return codeOf(readSnapshot(fileOf('bad')))
    }
    for (let i = 0; i < 200; i++) {
      const at = Math.floor(Math.random() * good.length)
      const bad = Uint8Array.from(good)
      bad[at] = (bad[at] ?? 0) ^ (1 << (i % 8))
      expect(await refused(bad), `byte ${at}`).toMatch(/^(DAMAGED|NOT_A_SNAPSHOT)$/)
    }
    for (let i = 0; i < 50; i++) {
      const length = Math.floor(Math.random() * good.length)
      expect(await refused(good.subarray(0, length)), `${length} bytes`).toMatch(/^(DAMAGED|NOT_A_SNAPSHOT)$/)
    }
    expect(await refused(Buffer.concat([good, good.subarray(-40)]))).toBe('DAMAGED')
  })

  it('is refused if it says anything else than what was signed, however well it is written', {
    timeout: 60_000,
  }, async () => {
    const sections: Uint8Array[] = []
    for await (const section of readSections(fileOf(moments[1] ?? 0))) sections.push(section)
    const refused = async (changed: readonly Uint8Array[]): Promise<string> => {
      await rm(fileOf('forged'), { force: true })
      const writer = await SectionWriter.create(fileOf('forged'))
      for (const section of changed) await writer.add(section)
      await writer.close()
      return codeOf(readSnapshot(fileOf('forged'), { network: net.network.id }))
    }
    for (const [i, section] of sections.entries()) {
      expect(await refused(sections.toSpliced(i, 1)), `without section ${i}`).toMatch(/^(DAMAGED|FALSE_STATE)$/)
      expect(await refused(sections.toSpliced(i, 0, section)), `section ${i} twice`).toMatch(/^(DAMAGED|FALSE_STATE)$/)
      for (let times = 0; times < 4; times++) {
        const forged = Uint8Array.from(section)
        const at = Math.floor(Math.random() * forged.length)
        forged[at] = (forged[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8))
        // The genesis document is what one has to know: another one is another network.
        const code = await refused(sections.with(i, forged))
        expect(code, `section ${i}, byte ${at}`).toMatch(i === 0 ? CODES : /^(DAMAGED|FALSE_STATE)$/)
      }
    }
  })

  it('says what is wrong with it', async () => {
    const [height = 0] = moments
    expect(await codeOf(readSnapshot(fileOf(height), { network: new Uint8Array(32) }))).toBe('OTHER_NETWORK')
    expect(await codeOf(writeSnapshot({ sql: net.sql, path: fileOf('early'), height: 1_000_000 }))).toBe(
      'NO_SUCH_HEIGHT',
    )
    await expect(stat(fileOf('early'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(writeSnapshot({ sql: net.sql, path: fileOf(height) })).rejects.toMatchObject({ code: 'EEXIST' })
    // What was there before stays.
    await readSnapshot(fileOf(height))
  })
})
