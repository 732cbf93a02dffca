import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../db/migrate.ts'
import { silentLog } from '../log.ts'
import type { Sql } from '../plugin/sql.ts'
import { until } from '../testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { checkFence } from './fence.ts'
import type { Lease } from './lease.ts'
import { LeaseTable } from './lease-table.ts'
import { Leases } from './leases.ts'

const NAME = 'weather/poll'

let test: TestDatabase
let database: Database
let sql: Sql
const open: Leases[] = []
beforeEach(async () => {
  test = await createTestDatabase()
  database = await test.open()
  sql = database.sql(CORE_SCHEMA)
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((leases) => leases.stop()))
  await database.close()
  await test.drop()
})

/** Another node on the same database. */
function node(id = randomUUID()): Leases {
  const leases = new Leases(database, id, silentLog)
  open.push(leases)
  return leases
}

async function take(leases: Leases): Promise<Lease> {
  const lease = await leases.take(NAME, AbortSignal.timeout(20_000))
  if (lease === undefined) throw new Error('the lease did not become free')
  return lease
}

/** As if its holder had been dead, or deaf, for three seconds. */
const expire = () => sql`update lease set expires_at = clock_timestamp() where name = ${NAME}`

describe('a lease', () => {
  it('is held by one node; released, it goes to the next at once, with a greater fence', async () => {
    const first = await take(node())
    const waiting = take(node())
    expect(await Promise.race([waiting, sleep(700, 'waits')])).toBe('waits')
    await first.release()
    const second = await waiting
    expect([first.fence, second.fence]).toEqual([1n, 2n])
    expect(first.signal.aborted).toBe(false)
    await second.release()
  })

  it('is kept for as long as it is renewed', async () => {
    const lease = await take(node())
    const table = new LeaseTable(database.options(CORE_SCHEMA), randomUUID())
    const [row] = await sql<{ expires_at: Date }[]>`select expires_at from lease`
    await until(async () => {
      expect(await table.acquire(NAME)).toBeUndefined()
      const [now] = await sql<{ expires_at: Date }[]>`select expires_at from lease`
      return (now?.expires_at.getTime() ?? 0) > (row?.expires_at.getTime() ?? 0) + 500
    }, 'it was renewed')
    await table.end()
    expect(lease.signal.aborted).toBe(false)
    await lease.release()
  })

  it('is lost by a holder that another has replaced, who is told', async () => {
    const first = await take(node())
    await expire()
    const second = await take(node())
    await until(() => first.signal.aborted, 'the first knows')
    expect(first.signal.reason).toMatchObject({ code: 'LEASE_LOST', message: expect.stringContaining('another node') })
    await first.release()
    expect(second.signal.aborted).toBe(false)
    await second.release()
  })

  it('is over here when the database cannot be reached, before it is over there', async () => {
    const lease = await take(node())
    const holder = open[0]
    await holder?.stop()
    await until(() => lease.signal.aborted, 'it ends by itself')
    const [row] = await sql<{ left: number }[]>`
      select extract(epoch from expires_at - clock_timestamp())::float8 as left from lease`
    expect(row?.left).toBeGreaterThan(-1)
    expect(lease.signal.reason).toMatchObject({ code: 'LEASE_LOST', message: expect.stringContaining('within 3 s') })
  })

  it('is not given up for an answer that has come while this process was held up', async () => {
    const table = new LeaseTable(test.options, randomUUID())
    const fence = (await table.acquire(NAME)) ?? 0n
    // The first one is prepared, which takes a question and an answer more.
    await table.renew(NAME, fence)
    // The next has to wait for this one in the database.
    const slow = sql.unsafe('update core.lease set holder = holder; select pg_sleep(0.7)').execute()
    const sleeps = () => sql`select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`
    await until(async () => (await sleeps()).length === 1, 'the lease is locked')
    const renewed = table.renew(NAME, fence)
    // It is sent.
    for (let i = 0; i < 2; i++) await setImmediate()
    const busyUntil = performance.now() + 1_600
    while (performance.now() < busyUntil);
    expect(await renewed).toBe(true)
    await slow
    await table.end()
  })

  it('is taken at once by the same node after a crash: nobody else can be that node', async () => {
    const id = randomUUID()
    const before = await take(node(id))
    before.abandon()
    const again = await take(node(id))
    expect(again.fence).toBe(before.fence + 1n)
    await again.release()
  })

  it('is seen by those who do not want it, with where its holder answers', async () => {
    const one = node()
    const other = node()
    await sql`insert into node (id, url, secret, version) values (${one.node}, 'ws://x', 's', '1')`
    const seen: (bigint | undefined)[] = []
    const end = other.watch.watch(NAME, (leader) => seen.push(leader?.fence))
    const lease = await take(one)
    await until(() => other.watch.leader(NAME) !== undefined, 'a leader')
    expect(other.watch.leader(NAME)).toMatchObject({ node: one.node, fence: 1n, url: 'ws://x', secret: 's' })
    await lease.release()
    await until(() => other.watch.leader(NAME) === undefined, 'none')
    end()
  })
})

describe('a fence', () => {
  it('lets the leader write, and refuses one that was replaced', async () => {
    const lease = await take(node())
    await sql.begin((tx) => checkFence(tx, NAME, lease.fence))
    await expire()
    const next = await take(node())
    await expect(sql.begin((tx) => checkFence(tx, NAME, lease.fence))).rejects.toMatchObject({ code: 'FENCED' })
    await expect(sql.begin((tx) => checkFence(tx, 'weather/none', 1n))).rejects.toMatchObject({ code: 'FENCED' })
    await sql.begin((tx) => checkFence(tx, NAME, next.fence))
    await next.release()
  })

  it('makes a successor wait for what the leader before is committing', async () => {
    await sql`create table written (fence bigint)`
    const lease = await take(node())
    const checked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const writing = sql.begin(async (tx) => {
      await checkFence(tx, NAME, lease.fence)
      checked.resolve()
      await goOn.promise
      await tx`insert into written values (${lease.fence})`
    })
    await checked.promise
    await expire()
    const taking = take(node())
    await until(async () => (await sql`select 1 from pg_locks where not granted`).count > 0, 'the successor waits')
    goOn.resolve()
    await writing
    const next = await taking
    expect(await sql`select fence from written`).toEqual([{ fence: lease.fence }])
    await next.release()
  })

  it('does not wait for ever: the session of a leader that stands still in a transaction is ended', async () => {
    const lease = await take(node())
    const { host, port, user, database: name } = test.options
    const session = new pg.Client({ host, port, user, database: name })
    const ended = new Promise((resolve) => session.on('error', resolve))
    await session.connect()
    await session.query('begin')
    await session.query('select core.check_fence($1, $2)', [NAME, lease.fence])
    lease.abandon()
    await expire()
    const next = await take(node())
    expect(next.fence).toBe(2n)
    await ended
    await next.release()
  })

  it('refuses to be checked with a snapshot that may be old', async () => {
    const lease = await take(node())
    const checking = sql.begin('isolation level repeatable read', (tx) => checkFence(tx, NAME, lease.fence))
    await expect(checking).rejects.toMatchObject({ code: 'DF002' })
    await lease.release()
  })
})
