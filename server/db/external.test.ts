import { userInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { createTestDatabase } from '../testing/index.ts'
import { openDatabase } from './database.ts'
import { describeDatabase, parseDatabaseUrl } from './external.ts'
import { requireVersion } from './session.ts'

const open = (url: string) => openDatabase({ dataDir: '/nonexistent', url, log: silentLog })

describe('a database URL', () => {
  it('is read in all its parts', () => {
    expect(parseDatabaseUrl('postgres://me:s%2Fe@db.test:6000/main?sslmode=require')).toEqual({
      host: 'db.test',
      port: 6000,
      database: 'main',
      user: 'me',
      password: 's/e',
      ssl: 'require',
      searchPath: ['public'],
    })
    expect(parseDatabaseUrl('postgresql:///?host=/run/pg')).toMatchObject({
      host: '/run/pg',
      port: 5432,
      user: userInfo().username,
    })
    expect(parseDatabaseUrl('postgres://[::1]/x')).toMatchObject({ host: '::1', database: 'x' })
  })

  it.each([
    ['localhost:5432', 'begins with localhost:'],
    ['not a url', 'is not a URL'],
    ['mysql://me:hidden@host/x', 'begins with mysql:'],
    ['postgres://me:hidden@host/x?sslmode=maybe', 'sslmode maybe is not one of require'],
  ])('is refused in one line without its password: %s', (url, reason) => {
    expect(() => parseDatabaseUrl(url)).toThrow(reason)
    expect(() => parseDatabaseUrl(url)).not.toThrow('hidden')
  })

  it('leads to a real server, with nothing started here', async () => {
    const test = await createTestDatabase()
    const { host, port, user, database: name } = test.options
    const database = await open(`postgres://${user}@localhost:${port}/${name}?host=${encodeURIComponent(host)}`)
    expect(await database.sql('pg_catalog')`select current_database() as name`).toEqual([{ name }])
    expect(database.where).toBe(`${user}@${host}/${name}`)
    await database.close()
    await test.drop()
  })

  it('says so when nothing answers there', async () => {
    await expect(open('postgres://me:hidden@127.0.0.1:1/main')).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message:
        'cannot reach the database me@127.0.0.1:1/main: connect ECONNREFUSED 127.0.0.1:1; ' +
        'check DATABASE_URL and that the server runs',
    })
  })
})

describe('a server that is too old', () => {
  it('is refused with its version', () => {
    const options = parseDatabaseUrl('postgres://me@host/main')
    expect(() => requireVersion(options, '150004', '15.4')).toThrow(
      `the database ${describeDatabase(options)} runs PostgreSQL 15.4, and deaios needs 16 or later`,
    )
    expect(() => requireVersion(options, '160000', '16.0')).not.toThrow()
  })
})
