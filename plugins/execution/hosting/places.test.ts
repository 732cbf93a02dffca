import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../../server/db/database.ts'
import { CORE_MIGRATIONS, migrate } from '../../../server/db/migrate.ts'
import type { Sql } from '../../../server/plugin.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/index.ts'
import { executionConfig } from '../config.ts'
import { HostDatabases } from './host-databases.ts'
import { ownBytes } from './messages.ts'
import { placeOf, ShardHomes } from './places.ts'
import { readSecret, secretIn } from './secret.ts'

const hosts = [
  { name: 'big', places: ['0:1', '7:'] },
  { name: 'small', places: ['0:101'] },
]

describe('a place', () => {
  it.each([
    ['0:0', null],
    ['0:', null],
    ['0:1', 'big'],
    ['0:11', 'big'],
    ['0:100', 'big'],
    ['0:101', 'small'],
    ['0:1011', 'small'],
    ['1:1', null],
    ['7:', 'big'],
    ['7:0', 'big'],
    ['77:', null],
  ])('for %s is on %s: the narrowest decides', (shard, expected) => {
    expect(placeOf(shard, hosts)).toBe(expected)
    expect(placeOf(shard, [...hosts].reverse())).toBe(expected)
  })
})

describe('where shards live', () => {
  let test: TestDatabase
  let database: Database
  let sql: Sql
  beforeAll(async () => {
    test = await createTestDatabase()
    database = await test.open()
    await migrate(database.sql('core'), 'core', CORE_MIGRATIONS)
    await migrate(database.sql('core'), 'execution', new URL('../migrations/', import.meta.url))
    sql = database.sql('execution')
  })
  afterAll(async () => {
    await database?.close()
    await test?.drop()
  })

  it('is decided once, and holds for what is split off', async () => {
    const homes = await ShardHomes.read(sql, hosts)
    expect(homes.of('0:1')).toBeUndefined()
    await homes.place(sql, ['0:0', '0:1', '7:'])
    // Split off: with its parent, whatever another place says.
    await homes.place(sql, ['0:10', '0:101', '0:00'])
    expect(['0:0', '0:1', '0:101', '0:0010', '7:0', '8:'].map((id) => homes.of(id))).toEqual([
      null,
      'big',
      'big',
      null,
      'big',
      undefined,
    ])
    expect(await sql`SELECT shard FROM shard_home`).toHaveLength(3)
    expect(homes.hosts).toEqual(new Set(['big']))
    const other = await ShardHomes.read(sql, [{ name: 'big', places: ['0:0'] }])
    expect(['0:0', '0:1'].map((id) => other.of(id))).toEqual([null, 'big'])
  })

  it('must be known to the configuration', async () => {
    await expect(ShardHomes.read(sql, [])).rejects.toMatchObject({ code: 'SHARD_HOST_UNKNOWN' })
  })

  it('is found by whoever reads, also what another node placed since, and what is no shard', async () => {
    const homes = await ShardHomes.read(sql, hosts)
    const databases = new HostDatabases(sql, new Map([['big', test.options]]), homes)
    await sql`INSERT INTO shard_home (shard, host) VALUES ('9:', 'big')`
    const [, big] = databases.all
    expect(await databases.of('9:01')).toBe(big)
    expect(await databases.of('0:1')).toBe(big)
    for (const shard of ['0:0', '5:', 'root', 'nonsense', '', '0:2']) expect(await databases.of(shard)).toBe(sql)
    await databases.close()
  })
})

describe('what a configuration says of shard hosts', () => {
  const host = { name: 'a', url: 'ws://localhost:1', secretFile: 'f', database: 'postgres://x', places: ['0:1'] }
  it.each([
    ['two of one name', [host, { ...host, url: 'ws://b', database: 'postgres://y' }]],
    ['two at one address', [host, { ...host, name: 'b', database: 'postgres://y' }]],
    ['two on one database', [host, { ...host, name: 'b', url: 'ws://b' }]],
    ['a place that is none', [{ ...host, places: ['0'] }]],
    ['the root chain as a place', [{ ...host, places: ['root'] }]],
    ['no place', [{ ...host, places: [] }]],
    ['another protocol', [{ ...host, url: 'http://localhost:1' }]],
    ['a name with blanks', [{ ...host, name: 'a b' }]],
  ])('is refused with %s', (_what, shardHosts) => {
    expect(executionConfig.safeParse({ shardHosts }).success).toBe(false)
    expect(executionConfig.safeParse({ shardHosts: [host] }).success).toBe(true)
  })
})

describe('a secret', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deaios-secret-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('is made once, for its owner only', async () => {
    const file = join(folder, 'new', 'secret')
    const secret = await secretIn(file)
    expect(secret.length).toBeGreaterThan(40)
    expect(await secretIn(file)).toBe(secret)
    expect((await readFile(file, 'utf8')).trim()).toBe(secret)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it.each(['', 'short', `${'x'.repeat(40)} ${'y'.repeat(40)}`])('is not %j', async (text) => {
    const file = join(folder, 'bad')
    await writeFile(file, text)
    await expect(readSecret(file)).rejects.toMatchObject({ code: 'SECRET_FILE' })
    await expect(readSecret(join(folder, 'none'))).rejects.toMatchObject({ code: 'SECRET_FILE' })
  })
})

it('bytes out of one frame get buffers of their own', () => {
  const frame = new Uint8Array(64).map((_, i) => i)
  const value = {
    bytes: frame.subarray(3, 9),
    list: [frame.subarray(0, 1), null, 'text', 7n],
    index: new Uint32Array(frame.buffer, 8, 2),
    map: new Map([['a', frame.subarray(60)]]),
  }
  const own = ownBytes(value)
  expect(own).toEqual(value)
  for (const view of [own.bytes, own.list[0] as Uint8Array, own.index, own.map.get('a') as Uint8Array])
    expect(view.buffer.byteLength).toBe(view.byteLength)
})
