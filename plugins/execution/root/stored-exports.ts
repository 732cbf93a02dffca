import type { SqlOrTransaction } from '../../../server/plugin.ts'
import type { ExportChange } from './exports.ts'

/** What the root chain exports as of a root height, sorted by key. One statement. */
export async function storedExports(sql: SqlOrTransaction, height: number): Promise<readonly ExportChange[]> {
  const rows = await sql<{ key: string; value: Uint8Array | null }[]>`
    SELECT DISTINCT ON (key) key, value FROM export WHERE since <= ${height} ORDER BY key, since DESC`
  return rows.filter(({ value }) => value !== null).map(({ key, value }) => [key, value] as const)
}
