import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DatabaseOptions, Sql, Transaction } from '../../plugin/sql.ts'
import { until } from '../../testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts'
import { connect, type PoolOptions } from '../connect.ts'
import { Door } from './door.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url))
const FATAL = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0'

let database: TestDatabase
let door: Door
let sql: Sql
const pools: Sql[] = []
const open = (options: DatabaseOptions, pool: PoolOptions = {}): Sql => {
  const made = connect(options, pool)
  pools.push(made)
  return made
}
beforeAll(async () => {
  database = await createTestDatabase()
  await open(database.options)`CREATE TABLE note (n integer)`
})
beforeEach(async () => {
  door = await Door.before(database.options)
  sql = open(door.options, { max: 2 })
})
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end({ timeout: 0 })))
  await door.close()
})
afterAll(() => database.drop())

describe('a pool whose connections end', () => {
  it('answers each statement, and with its own rows, however and whenever they end', async () => {
    const pool = open(door.options, { max: 3 })
    const outcomes = { answered: 0, lost: 0 }
    let isOver = false
    const plain = async (n: number) => expect(await pool`SELECT ${n}::integer AS n`).toMatchObject([{ n }])
    const bare = async () => expect(await pool`SELECT 7 AS seven`).toMatchObject([{ seven: 7 }])
    const transaction = (n: number) =>
      pool.begin(async (tx) => {
        for (let i = 0; i < 3; i++) {
          expect(await tx`SELECT ${n + i}::integer AS n`).toMatchObject([{ n: n + i }])
          await sleep(Math.random() * 3)
        }
      })
    const user = async (ask: (n: number) => Promise<unknown>): Promise<void> => {
      for (let n = 0; !isOver; n++)
        try {
          await ask(n)
          outcomes.answered++
        } catch (error) {
          if (!(error instanceof Error && 'code' in error)) throw error
          expect(['CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE']).toContain(error.code)
          outcomes.lost++
        }
    }
    const users = [plain, plain, bare, transaction, transaction].map(user)
    for (let cuts = 0; cuts < 30; cuts++) {
      await sleep(Math.random() * 30)
      door.cut((['reset', 'close', 'server'] as const)[cuts % 3] ?? 'reset', () => Math.random() < 0.5)
    }
    isOver = true
    await Promise.all(users)
    expect(outcomes.lost).toBeGreaterThan(0)
    expect(await pool`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
  })

  it('never takes rows for all that were left out', async () => {
    const seen: number[] = []
    const read = async () => {
      for await (const rows of sql<{ n: number }[]>`SELECT n FROM generate_series(1, 90) AS n`.cursor(10)) {
        seen.push(...rows.map(({ n }) => n))
        if (seen.length === 30) {
          door.cut('reset')
          await sleep(20)
        }
      }
    }
    await expect(read()).rejects.toThrow()
    expect(seen).toHaveLength(30)
    seen.splice(0, 30, 0)
    await read()
    expect(seen).toHaveLength(91)
  })

  it('lets nothing that belongs to a lost transaction run elsewhere', async () => {
    const made: Transaction[] = []
    const lost = sql.begin(async (tx) => {
      made.push(tx)
      await tx`INSERT INTO note VALUES (1)`
      door.cut('server')
      await sleep(50)
      await tx`INSERT INTO note VALUES (2)`
    })
    await expect(lost).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|ECONNRESET/) })
    for (const late of made)
      await expect(late`INSERT INTO note VALUES (3)`).rejects.toMatchObject({ code: 'TRANSACTION_ENDED' })
    expect([...(await sql`SELECT n FROM note`)]).toEqual([])
  })

  it('hears again, and says that something may have been missed', async () => {
    const heard: string[] = []
    let listens = 0
    const { unlisten } = await sql.listen(
      'news',
      (text) => heard.push(text),
      () => listens++,
    )
    for (let round = 1; round <= 3; round++) {
      await sql.notify('news', `${round}`)
      await until(() => heard.length === round, 'it is heard')
      door.cut('server')
      await until(() => listens === round + 1, 'it listens again')
    }
    await unlisten()
    await sql.notify('news', 'missed')
    expect(heard).toEqual(['1', '2', '3'])
  })
})

describe('a connection whose statement failed', () => {
  const halfway = (pool: Sql | Transaction) => pool`SELECT 1 / (2000 - n) FROM generate_series(1, 4000) AS n`

  it('gives the next one its own rows, though some of the failed one had come', async () => {
    const pool = open(database.options, { max: 1 })
    for (let round = 0; round < 3; round++) {
      await expect(halfway(pool)).rejects.toMatchObject({ code: '22012' })
      expect([...(await pool`SELECT 1 AS one`)]).toEqual([{ one: 1 }])
    }
    await pool.begin(async (tx) => {
      await tx.savepoint(halfway).catch(() => undefined)
      expect([...(await tx`SELECT 2 AS two`)]).toEqual([{ two: 2 }])
    })
    const own = await pool.reserve()
    await expect(halfway(own)).rejects.toMatchObject({ code: '22012' })
    expect([...(await own`SELECT 3 AS three`)]).toEqual([{ three: 3 }])
    own.release()
  })

  it('is left if nobody can tell what still comes', async () => {
    const pool = open(database.options, { max: 1 })
    const copy = await pool`COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000)) TO STDOUT`.readable()
    for await (const _ of copy) break
    expect(await pool`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
    const unsaid: number | undefined = [].at(0)
    const both = pool.begin((tx) => [tx`SELECT pg_sleep(0.01)`, tx`SELECT ${unsaid as never}::integer`])
    await expect(both).rejects.toMatchObject({ code: 'UNDEFINED_VALUE' })
    expect(await pool`SELECT 2 AS two`).toMatchObject([{ two: 2 }])
  })
})

describe('a pool that cannot connect', () => {
  it('says what the server says, and works as soon as it lets in', async () => {
    door.greet = (socket) =>
      socket.once('data', () => {
        const size = Buffer.alloc(5, 'E')
        size.writeUInt32BE(FATAL.length + 4, 1)
        socket.end(Buffer.concat([size, Buffer.from(FATAL)]))
      })
    for (let i = 0; i < 3; i++) await expect(sql`SELECT 1`).rejects.toMatchObject({ code: '57P03' })
    door.greet = undefined
    expect(await Promise.all([sql`SELECT 1 AS n`, sql`SELECT 2 AS n`])).toMatchObject([[{ n: 1 }], [{ n: 2 }]])
  })

  it('fails like one whose connection ends if the server refuses to tell its types', async () => {
    const left: unknown[] = []
    const note = (error: unknown) => left.push(error)
    process.prependListener('unhandledRejection', note)
    const said = (type: string, body: Buffer): Buffer => {
      const head = Buffer.alloc(5, type)
      head.writeUInt32BE(body.length + 4, 1)
      return Buffer.concat([head, body])
    }
    const isIdle = said('Z', Buffer.from('I'))
    const error = said('E', Buffer.from('SERROR\0VERROR\0C57014\0Mcanceling statement\0\0'))
    door.greet = (socket) =>
      socket.once('data', () => {
        const greeting = Buffer.concat([said('R', Buffer.alloc(4)), said('S', Buffer.from('a\0b\0')), isIdle])
        socket.write(greeting.subarray(0, 11))
        socket.write(greeting.subarray(11))
        socket.once('data', () => socket.write(Buffer.concat([error, isIdle])))
      })
    await expect(sql`SELECT 1`).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    door.greet = undefined
    expect(await sql`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
    process.off('unhandledRejection', note)
    expect(left).toEqual([])
  })

  it('waits for a server that says nothing for its time only', async () => {
    door.greet = () => undefined
    const pool = open(door.options, { connectSeconds: 0.1 })
    await expect(pool`SELECT 1`).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
    await expect(pool.begin(async () => 1)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
    await expect(pool.listen('news', () => undefined)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
  })

  it('speaks TLS if it is asked to, and to no one else if it is', async () => {
    const key = fixture('key')
    const secure = { key, cert: fixture('certificate') }
    door.greet = (socket) => door.secure(socket, secure)
    expect(await open({ ...door.options, ssl: 'require' })`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
    await expect(open({ ...door.options, ssl: 'verify-full' })`SELECT 1`).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    door.greet = undefined
    expect(await open({ ...door.options, ssl: 'prefer' })`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
    await expect(open({ ...door.options, ssl: 'require' })`SELECT 1`).rejects.toMatchObject({ code: 'SSL_REFUSED' })
  })
})

describe('a transaction', () => {
  const notes = async () => (await sql<{ n: number }[]>`SELECT n FROM note ORDER BY n`).map(({ n }) => n)
  afterEach(() => open(database.options)`TRUNCATE note`)

  it('gives what its body gives, and leaves nothing of one that fails', async () => {
    const both = await sql.begin((tx) => [tx`INSERT INTO note VALUES (1)`, tx`SELECT count(*)::integer FROM note`])
    expect(both[1]).toMatchObject([{ count: 1 }])
    await expect(
      sql.begin(async (tx) => {
        await tx`INSERT INTO note VALUES (2)`
        throw new TypeError('no')
      }),
    ).rejects.toThrow('no')
    const caught = sql.begin(async (tx) => {
      await tx`SELECT 1 / ${0}::integer`.catch(() => undefined)
      await tx`INSERT INTO note VALUES (3)`
    })
    await expect(caught).rejects.toMatchObject({ code: '22012' })
    const left = sql.begin(async (tx) => {
      await tx`INSERT INTO note VALUES (4)`
      tx`SELECT 1 / ${0}::integer`.catch(() => undefined)
    })
    await expect(left).rejects.toMatchObject({ code: '22012' })
    expect(await notes()).toEqual([1])
  })

  it('may lose a part of it', async () => {
    await sql.begin('isolation level serializable', async (tx) => {
      await tx`INSERT INTO note VALUES (1)`
      await tx
        .savepoint('part', async (inner) => {
          await inner`INSERT INTO note VALUES (2)`
          throw new TypeError('no')
        })
        .catch(() => undefined)
      await tx.savepoint((inner) => inner`INSERT INTO note VALUES (3)`)
    })
    expect(await notes()).toEqual([1, 3])
  })
})

describe('a pool that is closed', () => {
  it('lets what runs and waits come to its end, and takes no more', async () => {
    const slow = Array.from({ length: 4 }, (_, n) => sql`SELECT pg_sleep(0.05), ${n}::integer AS n`.execute())
    const own = await sql.reserve()
    const ended = sql.end()
    await expect(sql`SELECT 1`).rejects.toMatchObject({ code: 'CONNECTION_ENDED' })
    expect(await own`SELECT 5 AS n`).toMatchObject([{ n: 5 }])
    own.release()
    await expect(own`SELECT 6`).rejects.toMatchObject({ code: 'TRANSACTION_ENDED' })
    await ended
    expect((await Promise.all(slow)).flat().map(({ n }) => n)).toEqual([0, 1, 2, 3])
  })

  it('ends what does not come to its end', async () => {
    const slow = [sql`SELECT pg_sleep(60)`, sql`SELECT pg_sleep(60)`, sql`SELECT 1`].map((statement) =>
      expect(statement).rejects.toMatchObject({ code: 'CONNECTION_DESTROYED' }),
    )
    await until(() => door.count === 2, 'both run')
    await sql.end({ timeout: 0 })
    await Promise.all(slow)
  })

  it('closes connections that nothing needs', async () => {
    let closed = 0
    const pool = open(door.options, { idleSeconds: 0.05, onClose: () => closed++ })
    await pool`SELECT 1`
    await until(() => closed === 1, 'it is closed')
    expect(await pool`SELECT 1 AS one`).toMatchObject([{ one: 1 }])
  })
})
