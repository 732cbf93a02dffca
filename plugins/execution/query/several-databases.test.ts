import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import { connect, type Sql } from '../../../server/plugin.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/index.ts'
import { TransactionStates } from '../gateway/states.ts'
import { eventsOfTransactions } from './block-events.ts'
import { blocksByTime, blocksOfShard, timeKey } from './block-pages.ts'
import { blocksByHash, blocksByPlace, outgoingByPlace, receiptsByPlace } from './blocks.ts'
import { outcomesById } from './outcomes.ts'
import { oneDatabase, type ShardDatabases } from './shard-databases.ts'
import { contentsById } from './transaction-content.ts'
import { newestTransactions, placeOf, timedPlaceOf, transactionsOf, transactionsOfBlocks } from './transaction-pages.ts'
import { transactionsById } from './transaction-row.ts'
import { named, transactionOf, WrittenLedger, type WrittenTransaction } from './written-ledger.ts'

const SENDERS = ['alice', 'bob', 'carol']
const SHARDS = ['0:0', '0:10', '0:11', '7:']
const HEIGHTS = 5

/** Shards that are not in the first database. */
const isElsewhere = (shard: string): boolean => shard.startsWith('0:1') || shard === '7:'

const tests: TestDatabase[] = []
const opened: Database[] = []
async function aDatabase(): Promise<Sql> {
  const test = await createTestDatabase()
  tests.push(test)
  const database = await test.open()
  opened.push(database)
  await migrate(database.sql(CORE_SCHEMA), CORE_SCHEMA, CORE_MIGRATIONS)
  await migrate(database.sql(CORE_SCHEMA), 'execution', new URL('../migrations/', import.meta.url))
  return database.sql('execution')
}

/** The same ledger, once in one database, once in three. */
let one: ShardDatabases
let three: ShardDatabases
const all: WrittenTransaction[] = []
const places = SHARDS.flatMap((shard) => Array.from({ length: HEIGHTS }, (_, i) => ({ shard, height: i + 1 })))

beforeAll(async () => {
  const [whole, main, second, third] = await Promise.all([aDatabase(), aDatabase(), aDatabase(), aDatabase()])
  one = oneDatabase(whole)
  const home = (shard: string): Sql => (shard === '7:' ? third : isElsewhere(shard) ? second : main)
  three = { main, all: [main, second, third], of: async (shard) => home(shard), close: async () => undefined }
  const nonces = new Map<string, number>()
  for (const { shard, height } of places) {
    const transactions = Array.from({ length: (height * 2 + shard.length) % 4 }, (_, i) => {
      const sender = SENDERS[(height + i) % SENDERS.length] ?? ''
      const nonce = nonces.get(sender) ?? 0
      nonces.set(sender, nonce + 1)
      const remote = (height + i) % 3
      return transactionOf(sender, nonce, remote === 0 ? {} : { statuses: [2], remote })
    })
    all.push(...transactions)
    const events = transactions.map(({ id }, i) => ['test.added', { n: i }, id, 0] as const)
    // Some blocks of different shards have the same time.
    const place = { shard, height, seconds: height * 10 + (shard === '7:' ? 0 : shard.length % 2) }
    for (const sql of [whole, home(shard)]) await new WrittenLedger(sql).block(place, transactions, events)
    if (height % 2 === 0 || !isElsewhere(shard)) continue
    // The events of these were handed over to the event stream.
    await main`
      INSERT INTO core.event_batch ${main(
        await home(shard)`
        DELETE FROM core.event_batch WHERE shard = ${shard} AND height = ${height}
        RETURNING shard, height, topics, count, body`,
      )}`
  }
  // One message done here, one there, one refused, one that sends two on.
  const message = { action: 0, kind: 0, code: '', message: '' }
  for (const [i, { id, remote }] of all.filter((transaction) => transaction.remote > 0).entries()) {
    for (let n = 0; n < remote; n++) {
      const place = places[(7 * i + 11 * n) % places.length]
      if (place === undefined || (i + n) % 5 === 4) continue
      const status = (i + n) % 4 === 3 ? 1 : 0
      const delta = (i + n) % 6 === 5 ? 1 : -1
      for (const sql of [whole, home(place.shard)])
        await new WrittenLedger(sql).outcome(id, place, delta, [{ ...message, status, code: status === 1 ? 'NO' : '' }])
    }
  }
})

afterAll(async () => {
  for (const database of opened) await database.close()
  for (const test of tests) await test.drop()
})

/** The same question, put to the ledger in one database and in three. */
async function same<T>(ask: (databases: ShardDatabases) => Promise<T>): Promise<T> {
  const [expected, found] = await Promise.all([ask(one), ask(three)])
  expect(found).toEqual(expected)
  return found
}

const ids = () => [...all.map(({ id }) => id), named('unknown')]

describe('a ledger in several databases answers as one in a single database', () => {
  it('by ids: rows with their status, contents, outcomes and states', async () => {
    const rows = await same((databases) => transactionsById(databases, ids()))
    expect(new Set(rows.map((row) => row?.status))).toEqual(new Set(['INCLUDED', 'EXECUTED', 'FAILED', undefined]))
    await same((databases) => contentsById(databases, ids()))
    await same((databases) => outcomesById(databases, ids()))
    await same(async (databases) => [...(await new TransactionStates(databases, () => []).included(ids()))].sort())
  })

  it('by places and hashes', async () => {
    const asked = [...places, { shard: '0:10', height: 99 }, { shard: 'none', height: 1 }].reverse()
    const blocks = await same((databases) => blocksByPlace(databases, asked))
    await same((databases) => receiptsByPlace(databases, asked))
    await same((databases) => outgoingByPlace(databases, asked))
    const hashes = [named('unknown'), ...blocks.flatMap((block) => (block === null ? [] : [block.hash]))]
    await same((databases) => blocksByHash(databases, hashes))
    await same((databases) =>
      transactionsOfBlocks(
        databases,
        asked.map((place) => ({ ...place, from: 0, limit: 2 })),
      ),
    )
    const caused = blocks.flatMap((block) =>
      all.map(({ id }) => ({ id, shard: block?.shard ?? '', height: block?.height ?? 0 })),
    )
    const events = await same((databases) => eventsOfTransactions(databases, caused))
    expect(events.flat()).toHaveLength(all.length)
  })

  it('page by page, whatever the size and direction', async () => {
    const sizes = fc.integer({ min: 1, max: 9 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), fc.constantFrom(...SHARDS), async (limit, reverse, shard) => {
        await same(async (databases) => {
          const seen = []
          for (
            let page = { limit, reverse, after: undefined, before: undefined } as Parameters<typeof blocksByTime>[1];
            ;
          ) {
            const rows = await blocksByTime(databases, page)
            seen.push(...rows)
            const last = rows.at(-1)
            if (last === undefined) return seen
            page = { ...page, [reverse ? 'before' : 'after']: timeKey(last) }
          }
        })
        await same((databases) =>
          blocksOfShard(databases, shard, { limit, reverse, after: undefined, before: undefined }),
        )
      }),
      { numRuns: 12 },
    )
  })

  it('lists of transactions, each once', async () => {
    const filters = [...SENDERS.map((sender) => ({ sender: named(sender) })), ...SHARDS.map((shard) => ({ shard }))]
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.constantFrom(...filters), async (limit, filter) => {
        await same(async (databases) => {
          const seen = []
          for (let after: ReturnType<typeof placeOf> | undefined; ; ) {
            const rows = await transactionsOf(databases, filter, limit, after)
            seen.push(...rows)
            const last = rows.at(-1)
            if (last === undefined) return seen
            after = placeOf(last)
          }
        })
        const newest = await same(async (databases) => {
          const seen = []
          for (let after: ReturnType<typeof timedPlaceOf> | undefined; ; ) {
            const rows = await newestTransactions(databases, limit, after)
            seen.push(...rows)
            const last = rows.at(-1)
            if (last === undefined) return seen
            after = timedPlaceOf(last)
          }
        })
        expect(newest).toHaveLength(all.length)
      }),
      { numRuns: 12 },
    )
  })
})

describe('while the database of a shard host is away', () => {
  it('what is elsewhere is found, messages that may be there are on their way, and nothing is told not to be', async () => {
    const away = connect({ ...(tests[0] as TestDatabase).options, host: '/nowhere' }, { max: 1 })
    const { main } = three
    const databases: ShardDatabases = {
      ...three,
      all: [main, away],
      of: async (shard) => (isElsewhere(shard) ? away : main),
    }
    const here = (await transactionsOf(three, { shard: '0:0' }, 100, undefined)).map(({ id }) => id)
    const before = await transactionsById(three, here)
    const found = await transactionsById(databases, here)
    const isRemote = new Map(all.map(({ id, remote }) => [Buffer.from(id).toString('hex'), remote > 0]))
    for (const [i, row] of found.entries()) {
      const travels = isRemote.get(Buffer.from(here[i] ?? []).toString('hex'))
      expect(row?.status).toBe(travels ? 'INCLUDED' : before[i]?.status)
    }
    await expect(transactionsById(databases, ids())).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(blocksByTime(databases, { limit: 3, reverse: false } as never)).rejects.toMatchObject({
      code: 'ENOENT',
    })
    await expect(blocksOfShard(databases, '0:0', { limit: 3, reverse: false } as never)).resolves.toHaveLength(3)
    await away.end({ timeout: 1 })
  })
})
