import type { Sql } from '../../../server/plugin.ts'
import { decodeRealmEntry, type ExportChange, moduleKey, realmKey } from '../root/exports.ts'
import { RootView } from '../root/root-view.ts'

/** A realm as the root chain knows it. */
export interface RealmRow {
  readonly number: number
  readonly name: string
  /** The account that made it; null for realm 0. */
  readonly creator: Uint8Array | null
  /** Root height at which it was made. */
  readonly since: number
}

interface RealmRecord {
  readonly key: string
  readonly since: bigint
  readonly value: Buffer
}

const REALMS = realmKey(0).slice(0, -1)

/** What keys with this beginning go up to: the character after the slash that ends it. */
const endOf = (prefix: string): string => `${prefix.slice(0, -1)}0`

/** What the root chain exports of ledger modules now. One statement. */
export async function moduleView(sql: Sql): Promise<RootView> {
  const prefix = moduleKey('')
  const rows = await sql<{ key: string; value: Buffer | null }[]>`
    SELECT DISTINCT ON (key) key, value FROM export
    WHERE key > ${prefix} AND key < ${endOf(prefix)} ORDER BY key, since DESC`
  return RootView.EMPTY.with(rows.map(({ key, value }): ExportChange => [key, value]))
}

/** Realms by number. Their exports are set once, so there is one row of each. One statement. */
export async function realmPage(sql: Sql, limit: number, after: number | undefined): Promise<RealmRow[]> {
  const rows = await sql<RealmRecord[]>`
    SELECT key, since, value FROM export
    WHERE key > ${REALMS} AND key < ${endOf(REALMS)} AND value IS NOT NULL
      ${after === undefined ? sql`` : sql`AND substr(key, ${REALMS.length + 1})::bigint > ${after}`}
    ORDER BY substr(key, ${REALMS.length + 1})::bigint LIMIT ${limit}`
  return rows.map(rowOf)
}

/** Realms in the order asked for; null where there is none. One statement. */
export async function realmsByNumber(sql: Sql, numbers: readonly number[]): Promise<(RealmRow | null)[]> {
  const rows = await sql<RealmRecord[]>`
    SELECT key, since, value FROM export WHERE key = ANY(${numbers.map(realmKey)}) AND value IS NOT NULL`
  const found = new Map(rows.map((row) => [row.key, rowOf(row)]))
  return numbers.map((number) => found.get(realmKey(number)) ?? null)
}

const rowOf = ({ key, since, value }: RealmRecord): RealmRow => ({
  number: Number(key.slice(REALMS.length)),
  since: Number(since),
  ...decodeRealmEntry(value),
})
