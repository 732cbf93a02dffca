import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import { silentLog } from '../../../server/log.ts'
import type { Log, Sql } from '../../../server/plugin.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/index.ts'
import { until } from '../../../server/testing/program.ts'
import { WrittenLedger } from '../query/written-ledger.ts'
import { encodeEntries } from '../root/root-store.ts'
import { takeOffice } from '../testing.ts'
import { EventRelay } from './event-relay.ts'
import { HostDatabases } from './host-databases.ts'
import { ShardHomes } from './places.ts'

const SHARD = '0:1'

const tests: TestDatabase[] = []
const opened: Database[] = []
/** The node's database, and that of the host. */
let main: Sql
let there: Sql
let databases: HostDatabases

async function aDatabase(): Promise<Sql> {
  const test = await createTestDatabase()
  tests.push(test)
  const database = await test.open()
  opened.push(database)
  await migrate(database.sql(CORE_SCHEMA), CORE_SCHEMA, CORE_MIGRATIONS)
  await migrate(database.sql(CORE_SCHEMA), 'execution', new URL('../migrations/', import.meta.url))
  return database.sql('execution')
}

beforeAll(async () => {
  main = await aDatabase()
  there = await aDatabase()
  const hosts = [{ name: 'other', places: [SHARD] }]
  const homes = await ShardHomes.read(main, hosts)
  await homes.place(main, [SHARD])
  const options = opened[1]?.options('execution')
  if (options === undefined) throw new TypeError('there is no second database')
  databases = new HostDatabases(main, new Map([['other', options]]), homes)
})
afterAll(async () => {
  await databases.close()
  for (const database of opened) await database.close()
  for (const test of tests) await test.drop()
})

/** What the relay complained of. */
let codes: unknown[] = []
/** What is told of the shard's events now. */
let trouble: string | undefined
let relay: EventRelay | undefined
beforeEach(async () => {
  for (const sql of [main, there]) await sql`TRUNCATE block, core.event_batch, root_entry, root_block, event_relay`
  codes = []
  trouble = undefined
  // The shard host has not made it yet: that is no trouble.
  await listed(0, 0, new Uint8Array(32))
  await started()
})

async function started(): Promise<void> {
  const error: Log['error'] = (fields) => codes.push(typeof fields === 'string' ? fields : (fields.code ?? fields))
  const log = { ...silentLog, error, warn: error }
  const onTrouble = (_shard: string, code: string | undefined): void => {
    trouble = code
  }
  relay = new EventRelay({ databases, fence: await takeOffice(main), log, onEvents: () => undefined, onTrouble })
  relay.follow(SHARD)
}

/** Makes a block on the host; `time` tells it from another of the same height. */
const made = async (height: number, time = 0): Promise<Uint8Array> =>
  (await new WrittenLedger(there).block({ shard: SHARD, height, seconds: 100 * time + height }, [])).hash

/** A root block lists it. */
async function listed(root: number, height: number, hash: Uint8Array): Promise<void> {
  await main`INSERT INTO root_entry (shard, height, root) VALUES (${SHARD}, ${height}, ${root})`
  await main`
    INSERT INTO root_block (height, hash, header, votes, entries, time)
    VALUES (${root}, '', '', '', ${encodeEntries([{ shard: SHARD, height, hash }])}, now())`
  relay?.wake(SHARD)
}

const heightsIn = async (sql: Sql): Promise<number[]> =>
  (await sql<{ height: bigint }[]>`SELECT height FROM core.event_batch ORDER BY id`).map(({ height }) => Number(height))

const bodyOf = async (sql: Sql, height: number): Promise<Uint8Array | undefined> =>
  (await sql<{ body: Uint8Array }[]>`SELECT body FROM core.event_batch WHERE height = ${height}`)[0]?.body

/** The host's database as it was before the block of this height. */
const goBackTo = async (height: number): Promise<void> => {
  await there`DELETE FROM block WHERE height >= ${height}`
  await there`DELETE FROM core.event_batch WHERE height >= ${height}`
}

describe('events of a shard host', () => {
  it('come over once a root block lists their block, so none is of a block that is made anew', async () => {
    await listed(1, 1, await made(1))
    await until(async () => (await heightsIn(main)).length === 1, 'the listed one came')
    await made(2)
    await made(3)
    relay?.wake(SHARD)
    await until(async () => (await heightsIn(there)).length === 2, 'what came is removed there')
    // An old copy of the database, in which these were not made yet.
    await goBackTo(2)
    const hash = await made(2, 1)
    const wanted = await bodyOf(there, 2)
    await listed(2, 2, hash)
    await until(async () => (await heightsIn(there)).length === 0, 'all came')
    expect(await heightsIn(main)).toEqual([1, 2])
    expect(await bodyOf(main, 2)).toEqual(wanted)
    expect(codes).toEqual([])
    await relay?.stop()
  })

  it.each(['is gone', 'is another'])('wait, with a code, where a listed block %s', async (what) => {
    await listed(1, 1, await made(1))
    await until(async () => (await heightsIn(there)).length === 0, 'it came')
    const hash = await made(2)
    await goBackTo(2)
    if (what === 'is another') await made(2, 1)
    await listed(2, 2, hash)
    await until(() => codes.length > 0, 'it complains')
    expect(await heightsIn(main)).toEqual([1])
    await goBackTo(2)
    await made(2)
    await until(async () => (await heightsIn(main)).length === 2, 'it goes on with the right database')
    expect(codes[0]).toBe('STATE_LOST')
    await until(() => trouble === undefined, 'all is well again')
    await relay?.stop()
  })

  it('are missed, with a code, if they were handed over to a database that went back to an older copy', async () => {
    for (const height of [1, 2]) await listed(height, height, await made(height))
    await until(async () => (await heightsIn(there)).length === 0, 'they came')
    await relay?.stop()
    await main`DELETE FROM core.event_batch WHERE height = 2`
    await main`UPDATE event_relay SET height = 1`
    await started()
    await until(() => codes.length > 0, 'it complains')
    expect([trouble, codes]).toEqual(['EVENTS_LOST', ['EVENTS_LOST']])
    const hash = await made(3)
    await listed(3, 3, hash)
    // Not skipped: what is missing is missing until somebody says that it does not matter.
    await main`UPDATE event_relay SET height = 2`
    await until(async () => (await heightsIn(main)).length === 2, 'it goes on')
    expect(await heightsIn(main)).toEqual([1, 3])
    await relay?.stop()
  })
})
