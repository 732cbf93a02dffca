import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Sql } from '../plugin/sql.ts'
import { createTestDatabase, type TestDatabase } from '../testing/index.ts'
import { connect } from './connect.ts'
import { migrate } from './migrate.ts'

let database: TestDatabase
let sql: Sql
let folder: URL
let schema = ''
let count = 0
const write = (name: string, text: string) => writeFileSync(new URL(name, folder), text)

beforeAll(async () => {
  database = await createTestDatabase()
  sql = connect(database.options)
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})
beforeEach(() => {
  folder = pathToFileURL(`${mkdtempSync(join(tmpdir(), 'deaios-migrate-'))}/`)
  schema = `plugin${++count}`
  write('001-tables.sql', 'create table stations (id int primary key); insert into stations values (1);')
  write('002-names.sql', "alter table stations add name text not null default 'x'")
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('migrations', () => {
  it('are applied in order, in the plugin’s own schema, once', async () => {
    expect(await migrate(sql, schema, folder)).toEqual(['001-tables.sql', '002-names.sql'])
    expect(await migrate(sql, schema, folder)).toEqual([])
    expect(await sql`select id, name from ${sql(schema)}.stations`).toEqual([{ id: 1, name: 'x' }])
  })

  it('go on where they were', async () => {
    await migrate(sql, schema, folder)
    write('003-more.sql', 'insert into stations values (2)')
    expect(await migrate(sql, schema, folder)).toEqual(['003-more.sql'])
    expect((await sql`select id from ${sql(schema)}.stations`).count).toBe(2)
  })

  it('leave nothing of a file that fails, and keep the files before it', async () => {
    write('002-names.sql', 'insert into stations values (2); insert into stations values (1);')
    await expect(migrate(sql, schema, folder)).rejects.toThrow(
      `plugin "${schema}": migration 002-names.sql failed and was rolled back: duplicate key value`,
    )
    expect((await sql`select id from ${sql(schema)}.stations`).count).toBe(1)
    write('002-names.sql', 'insert into stations values (2)')
    expect(await migrate(sql, schema, folder)).toEqual(['002-names.sql'])
  })

  it('are refused when an applied file was changed, removed or preceded', async () => {
    await migrate(sql, schema, folder)
    write('001-more.sql', 'select 1')
    await expect(migrate(sql, schema, folder)).rejects.toThrow('001-more.sql and 001-tables.sql have the same number')
    rmSync(new URL('001-more.sql', folder))
    write('000-early.sql', 'select 1')
    await expect(migrate(sql, schema, folder)).rejects.toMatchObject({
      code: 'MIGRATION_ORDER',
      message: expect.stringContaining('000-early.sql comes before 002-names.sql'),
    })
    rmSync(new URL('000-early.sql', folder))
    write('001-tables.sql', 'create table stations (id bigint primary key)')
    await expect(migrate(sql, schema, folder)).rejects.toMatchObject({
      code: 'MIGRATION_CHANGED',
      message: expect.stringContaining('migration 001-tables.sql was changed'),
    })
    rmSync(new URL('001-tables.sql', folder))
    await expect(migrate(sql, schema, folder)).rejects.toMatchObject({
      code: 'MIGRATION_MISSING',
      message: expect.stringContaining('migration 001-tables.sql was applied to this database and is gone'),
    })
    await expect(migrate(sql, schema, undefined)).rejects.toMatchObject({ code: 'MIGRATION_MISSING' })
  })

  it('do not mind a checkout with other line ends', async () => {
    write('001-tables.sql', 'create table\nstations (id int)')
    await migrate(sql, schema, folder)
    write('001-tables.sql', 'create table\r\nstations (id int)')
    expect(await migrate(sql, schema, folder)).toEqual([])
  })

  it('are refused by name if they are named otherwise, or if the folder is gone', async () => {
    write('3-late.sql', 'select 1')
    await expect(migrate(sql, schema, folder)).rejects.toThrow('3-late.sql must be named like 001-tables.sql')
    await expect(migrate(sql, schema, new URL('none/', folder))).rejects.toThrow('cannot read its migrations folder')
  })
})
