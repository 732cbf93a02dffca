import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Sql } from '../plugin/sql.ts'
import { quoteIdentifier } from './connect.ts'
import { codeOf, DatabaseError, messageOf } from './errors.ts'

/** The Postgres schema of the core's own tables; no plugin may be called so. */
export const CORE_SCHEMA = 'core'
export const CORE_MIGRATIONS: URL = new URL('./migrations/', import.meta.url)

export interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/**
 * Creates the schema if it is new and applies what is missing from its folder, in the order of the numbers, each file
 * in a transaction of its own. What has been applied must still be there, unchanged.
 *
 * @param sql any pool on the database
 * @param schema the plugin's name; its unqualified table names land in the schema of that name
 * @param folder NNN-name.sql files; undefined for a plugin without tables
 * @returns the names applied now
 */
export async function migrate(sql: Sql, schema: string, folder: URL | undefined): Promise<readonly string[]> {
  const found = folder === undefined ? [] : await readMigrations(schema, folder)
  await prepare(sql, schema)
  const applied = await sql<{ name: string; checksum: string }[]>`
    select name, checksum from core.migrations where schema = ${schema} order by name`
  const missing = pending(schema, found, applied)
  for (const migration of missing) await apply(sql, schema, migration)
  return missing.map(({ name }) => name)
}

async function prepare(sql: Sql, schema: string): Promise<void> {
  const [row] = await sql<{ table: boolean; schema: boolean }[]>`
    select to_regclass('core.migrations') is not null as table, to_regnamespace(${quoteIdentifier(schema)}) is not null as schema`
  if (row?.table === true && row.schema) return
  await sql.begin(async (tx) => {
    await tx`create schema if not exists core`
    await tx`create schema if not exists ${tx(schema)}`
    await tx`
      create table if not exists core.migrations (
        schema text not null,
        name text not null,
        checksum text not null,
        applied_at timestamptz not null default now(),
        primary key (schema, name)
      )`
  })
}

/**
 * The files of a plugin's folder, in the order of their numbers.
 * @throws DatabaseError MIGRATION_MISSING | MIGRATION_NAME
 */
export async function readMigrations(schema: string, folder: URL): Promise<readonly Migration[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new DatabaseError(
      'MIGRATION_MISSING',
      `plugin "${schema}": cannot read its migrations folder ${fileURLToPath(folder)}: ${messageOf(error)}`,
      error,
    )
  })
  const migrations: Migration[] = []
  for (const name of names.sort()) {
    if (!name.endsWith('.sql')) continue
    if (!/^\d{3}-[a-z0-9-]+\.sql$/.test(name))
      throw new DatabaseError('MIGRATION_NAME', `plugin "${schema}": ${name} must be named like 001-tables.sql`)
    const twin = migrations.at(-1)
    if (twin?.name.slice(0, 3) === name.slice(0, 3))
      throw new DatabaseError('MIGRATION_NAME', `plugin "${schema}": ${twin.name} and ${name} have the same number`)
    // A checkout may have changed the line ends; the statements are the same.
    const text = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n')
    migrations.push({ name, text, checksum: createHash('sha256').update(text).digest('hex') })
  }
  return migrations
}

function pending(
  schema: string,
  found: readonly Migration[],
  applied: readonly { readonly name: string; readonly checksum: string }[],
): readonly Migration[] {
  const files = new Map(found.map((migration) => [migration.name, migration]))
  for (const { name, checksum } of applied) {
    const file = files.get(name)
    if (file === undefined)
      throw new DatabaseError(
        'MIGRATION_MISSING',
        `plugin "${schema}": migration ${name} was applied to this database and is gone; ` +
          'put the file back, or use the version of the plugin that wrote this database',
      )
    if (file.checksum !== checksum)
      throw new DatabaseError(
        'MIGRATION_CHANGED',
        `plugin "${schema}": migration ${name} was changed after it had been applied; undo the change and add a new file`,
      )
  }
  const done = new Set(applied.map(({ name }) => name))
  const last = applied.at(-1)?.name ?? ''
  const missing = found.filter(({ name }) => !done.has(name))
  const late = missing.find(({ name }) => name < last)
  if (late !== undefined)
    throw new DatabaseError(
      'MIGRATION_ORDER',
      `plugin "${schema}": migration ${late.name} comes before ${last}, which was already applied; give it a higher number`,
    )
  return missing
}

async function apply(sql: Sql, schema: string, { name, text, checksum }: Migration): Promise<void> {
  try {
    await sql.begin(async (tx) => {
      await tx`select set_config('search_path', ${quoteIdentifier(schema)}, true)`
      await tx.unsafe(text)
      await tx`insert into core.migrations (schema, name, checksum) values (${schema}, ${name}, ${checksum})`
    })
  } catch (error) {
    const code = codeOf(error)
    throw new DatabaseError(
      'MIGRATION_FAILED',
      `plugin "${schema}": migration ${name} failed and was rolled back: ${messageOf(error)}${code ? ` (${code})` : ''}`,
      error,
    )
  }
}
