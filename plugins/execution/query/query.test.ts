import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../server/db/connect.ts'
import type { Database } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import type { Sql } from '../../../server/plugin.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/index.ts'
import { eventsOfTransactions } from './block-events.ts'
import { blocksByTime, blocksOfShard } from './block-pages.ts'
import { blocksByHash, blocksByPlace } from './blocks.ts'
import { outcomesById } from './outcomes.ts'
import { rootBlocksByPlace } from './root-blocks.ts'
import { oneDatabase, type ShardDatabases } from './shard-databases.ts'
import { contentsById } from './transaction-content.ts'
import { newestTransactions, placeOf, timedPlaceOf, transactionsOf, transactionsOfBlocks } from './transaction-pages.ts'
import { transactionsById } from './transaction-row.ts'
import { MAX_SCAN, scanTransactions } from './transaction-scan.ts'
import { named, transactionOf, WrittenLedger } from './written-ledger.ts'

let test: TestDatabase
let database: Database
let sql: Sql
let databases: ShardDatabases
let ledger: WrittenLedger

const alice = [0, 1, 2, 3, 4, 5, 6].map((nonce) => transactionOf('alice', nonce))
const bob = transactionOf('bob', 0, {
  statuses: [1],
  errors: [{ action: 0, code: 'WRONG_OWNER', message: 'not yours' }],
})
const sent = transactionOf('bob', 1, { statuses: [2], remote: 1 })
const bounced = transactionOf('bob', 2, { statuses: [2], remote: 1 })
const onTheWay = transactionOf('bob', 3, { statuses: [2], remote: 1 })
const unknown = named('unknown')
const hex = (ids: Iterable<{ readonly id: Uint8Array }>) => [...ids].map(({ id }) => Buffer.from(id).toString('hex'))

beforeAll(async () => {
  test = await createTestDatabase()
  database = await test.open()
  await migrate(database.sql(CORE_SCHEMA), CORE_SCHEMA, CORE_MIGRATIONS)
  await migrate(database.sql(CORE_SCHEMA), 'execution', new URL('../migrations/', import.meta.url))
  sql = database.sql('execution')
  databases = oneDatabase(sql)
  ledger = new WrittenLedger(sql)
  await ledger.block({ shard: '0:0', height: 1, seconds: 1 }, alice.slice(0, 3), [
    ['test.added', { n: 1 }, alice[1]?.id ?? unknown, 0],
    ['test.added', { n: 2 }, alice[2]?.id ?? unknown, 1],
    ['test.added', { n: 3 }, alice[1]?.id ?? unknown, 2],
  ])
  await ledger.block({ shard: '0:1', height: 1, seconds: 2 }, [bob, sent, bounced, onTheWay])
  await ledger.block({ shard: '0:0', height: 2, seconds: 3 }, [])
  await ledger.block({ shard: '0:0', height: 3, seconds: 4 }, alice.slice(3, 5))
  // After a split the sender goes on in a child of its shard.
  await ledger.block({ shard: '0:01', height: 4, seconds: 5 }, alice.slice(5))
  const message = { action: 0, kind: 0, code: '', message: '' }
  await ledger.outcome(sent.id, { shard: '0:0', height: 2 }, -1, [{ ...message, status: 0 }])
  await ledger.outcome(bounced.id, { shard: '0:0', height: 2 }, 0, [
    { ...message, status: 1, code: 'UNKNOWN_CALL', message: 'no module has it' },
  ])
  await ledger.outcome(bounced.id, { shard: '0:01', height: 4 }, -1, [{ ...message, kind: 1, status: 0 }])
  await ledger.rootBlock(9, [
    { shard: '0:0', height: 1 },
    { shard: '0:1', height: 1 },
  ])
})

afterAll(async () => {
  await database?.close()
  await test?.drop()
})

describe('transactions by their ids', () => {
  it('come in the order of the ids, with null for those in no block', async () => {
    const rows = await transactionsById(databases, [sent.id, unknown, alice[1]!.id])
    expect(rows[1]).toBeNull()
    expect(rows[0]).toMatchObject({ shard: '0:1', height: 1, index: 1, blockTime: new Date('2026-01-01T00:00:02Z') })
    expect(rows[2]).toMatchObject({ shard: '0:0', height: 1, index: 1 })
  })

  it('are INCLUDED while messages are on their way, then EXECUTED, or FAILED if anything was refused', async () => {
    const rows = await transactionsById(databases, [alice[0]!.id, bob.id, sent.id, bounced.id, onTheWay.id])
    expect(rows.map((row) => row?.status)).toEqual(['EXECUTED', 'FAILED', 'EXECUTED', 'FAILED', 'INCLUDED'])
  })

  it('have their signed bytes and receipts cut out of the block', async () => {
    const found = await contentsById(databases, [alice[2]!.id, unknown, bob.id, alice[0]!.id])
    expect(found[1]).toBeNull()
    for (const [at, expected] of [
      [0, alice[2]],
      [2, bob],
      [3, alice[0]],
    ] as const) {
      expect(Buffer.from(found[at]?.wire ?? [])).toEqual(Buffer.from(expected?.wire ?? []))
      expect(Buffer.from(found[at]?.receipt.id ?? [])).toEqual(Buffer.from(expected?.id ?? []))
    }
    expect(found[2]?.receipt).toMatchObject({ fee: 91n, errors: [{ code: 'WRONG_OWNER' }] })
  })

  it('know what became of their messages elsewhere, oldest first', async () => {
    const [none, two] = await outcomesById(databases, [alice[0]!.id, bounced.id])
    expect(none).toEqual([])
    expect(two?.map(({ shard, height }) => `${shard}/${height}`)).toEqual(['0:0/2', '0:01/4'])
    expect(two?.[0]?.messages[0]).toMatchObject({ status: 1, code: 'UNKNOWN_CALL' })
  })

  it('find the events that they caused in a block', async () => {
    const at = { shard: '0:0', height: 1 }
    const [second, third, first] = await eventsOfTransactions(databases, [
      { id: alice[1]!.id, ...at },
      { id: alice[2]!.id, ...at },
      { id: alice[0]!.id, ...at },
    ])
    expect(second).toEqual([
      { action: 0, topic: 'test.added', payload: { n: 1 } },
      { action: 2, topic: 'test.added', payload: { n: 3 } },
    ])
    expect(third).toEqual([{ action: 1, topic: 'test.added', payload: { n: 2 } }])
    expect(first).toEqual([])
  })
})

describe('lists of transactions', () => {
  it("give a sender's newest first, across a split, page by page", async () => {
    const seen: string[] = []
    let after: ReturnType<typeof placeOf> | undefined
    for (let page = 0; page < 4; page++) {
      const rows = await transactionsOf(databases, { sender: named('alice') }, 2, after)
      seen.push(...hex(rows))
      after = rows.length === 0 ? after : placeOf(rows[rows.length - 1]!)
    }
    // Within a block the later one is the newer one.
    expect(seen).toEqual(hex([...alice].reverse()))
  })

  it('give those of one shard', async () => {
    expect(hex(await transactionsOf(databases, { shard: '0:0' }, 10, undefined))).toEqual(
      hex(alice.slice(0, 5).reverse()),
    )
    expect(await transactionsOf(databases, { shard: '0:1', sender: named('alice') }, 10, undefined)).toEqual([])
  })

  it('give all by time, page by page, each once', async () => {
    const all = await newestTransactions(databases, 100, undefined)
    expect(all).toHaveLength(11)
    expect(hex(all).slice(0, 2)).toEqual(hex(alice.slice(5).reverse()))
    const seen: string[] = []
    let after: ReturnType<typeof timedPlaceOf> | undefined
    for (let page = 0; page < 11; page++) {
      const rows = await newestTransactions(databases, 1, after)
      seen.push(...hex(rows))
      after = timedPlaceOf(rows[0]!)
    }
    expect(seen).toEqual(hex(all))
  })

  it('give slices of blocks', async () => {
    const slices = await transactionsOfBlocks(databases, [
      { shard: '0:1', height: 1, from: 1, limit: 2 },
      { shard: '0:0', height: 2, from: 0, limit: 5 },
      { shard: '0:0', height: 1, from: 2, limit: 5 },
    ])
    expect(slices.map(hex)).toEqual([hex([sent, bounced]), [], hex([alice[2]!])])
  })
})

describe('a search by status', () => {
  const row = (index: number) => ({ index, status: index % 1000 === 999 ? 'FAILED' : 'EXECUTED' }) as never
  const read = async (limit: number, after: number | undefined) => {
    const from = (after ?? -1) + 1
    return Array.from({ length: Math.max(Math.min(limit, 10_000 - from), 0) }, (_, at) => row(from + at))
  }
  const scan = (size: number, after: number | undefined, matches: (row: { status: string }) => boolean) =>
    scanTransactions({ read, keyOf: ({ index }) => index, matches, size, after })

  it('stops at a bound and says where to go on', async () => {
    const first = await scan(20, undefined, ({ status }) => status === 'FAILED')
    expect(first.rows).toHaveLength(2)
    expect(first.next?.index).toBe(MAX_SCAN - 1)
    const rest = await scan(20, first.next?.index, ({ status }) => status === 'FAILED')
    expect(rest.rows.map(({ index }) => index)).toEqual([2999, 3999])
  })

  it('goes on behind the last row of a full page', async () => {
    const first = await scan(1, undefined, ({ status }) => status === 'FAILED')
    expect(first.rows.map(({ index }) => index)).toEqual([999])
    const second = await scan(1, first.next?.index, ({ status }) => status === 'FAILED')
    expect(second.rows.map(({ index }) => index)).toEqual([1999])
  })

  it('ends with the list', async () => {
    expect((await scan(20, 9_000, () => false)).next).toBeUndefined()
  })
})

describe('blocks', () => {
  it('are found by place and by hash', async () => {
    const [none, found] = await blocksByPlace(databases, [
      { shard: '0:0', height: 7 },
      { shard: '0:1', height: 1 },
    ])
    expect(none).toBeNull()
    expect(found).toMatchObject({ shard: '0:1', height: 1, txCount: 4 })
    expect(found?.size).toBeGreaterThan(4 * 200)
    expect(await blocksByHash(databases, [found!.hash, unknown])).toEqual([found, null])
  })

  it('come in pages from both ends', async () => {
    const heights = (rows: readonly { readonly height: number }[]) => rows.map(({ height }) => height)
    const page = { limit: 2, after: undefined, before: undefined, reverse: false }
    expect(heights(await blocksOfShard(databases, '0:0', page))).toEqual([1, 2])
    expect(heights(await blocksOfShard(databases, '0:0', { ...page, after: [2] }))).toEqual([3])
    expect(heights(await blocksOfShard(databases, '0:0', { ...page, reverse: true }))).toEqual([3, 2])
    expect(heights(await blocksOfShard(databases, '0:0', { ...page, reverse: true, before: [2] }))).toEqual([1])
  })

  it('of all shards come by time', async () => {
    const page = { limit: 10, after: undefined, before: undefined, reverse: false }
    const all = await blocksByTime(databases, page)
    expect(all.map(({ shard, height }) => `${shard}/${height}`)).toEqual(['0:0/1', '0:1/1', '0:0/2', '0:0/3', '0:01/4'])
    const second = all[1]!
    const key = [second.time.getTime(), second.shard, second.height] as const
    expect(await blocksByTime(databases, { ...page, after: key })).toEqual(all.slice(2))
    expect(await blocksByTime(databases, { ...page, before: key, reverse: true })).toEqual(all.slice(0, 1))
  })

  it('know the root block that committed them', async () => {
    const found = await rootBlocksByPlace(sql, [
      { shard: '0:0', height: 3 },
      { shard: '0:1', height: 1 },
    ])
    expect(found.map((row) => row?.height)).toEqual([undefined, 9])
  })
})

it('the newest transactions of a long chain are read without looking at the rest', async () => {
  await sql`
    INSERT INTO block (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
    SELECT '1:', n, decode(lpad(to_hex(n), 64, '0'), 'hex'), '', '', '', '', '', 20, to_timestamp(n), 0, 0, 0
    FROM generate_series(1, 2000) n`
  await sql`
    INSERT INTO tx (id, sender, shard, height, index, body_at, receipt_at, refused, remote)
    SELECT sha256(format('%s %s', n, i)::bytea), ${named('carol')}, '1:', n, i, 0, 0, false, i % 2
    FROM generate_series(1, 2000) n, generate_series(0, 19) i`
  // As autovacuum does.
  await sql`ANALYZE`
  // A connection reports what it read, and no other's.
  const one = connect({ ...test.options, searchPath: ['execution'] }, { max: 1 })
  const before = await rowsRead(one)
  await newestTransactions(oneDatabase(one), 100, [1500_000, '1:', 1500, 3])
  await transactionsOf(oneDatabase(one), { sender: named('carol') }, 100, ['1:', 1500, 3])
  await transactionsOf(oneDatabase(one), { shard: '1:' }, 100, ['1:', 1500, 3])
  expect((await rowsRead(one)) - before).toBeLessThan(3000)
  await one.end()
})

/** Rows that scans have given so far, of tables and of indexes. */
async function rowsRead(sql: Sql): Promise<number> {
  await sql`SELECT pg_stat_force_next_flush()`
  await sql`SELECT 1`
  const [row] = await sql<{ rows: bigint }[]>`
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_user_tables
    WHERE schemaname = 'execution'`
  return Number(row?.rows ?? 0)
}
