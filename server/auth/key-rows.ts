import type { SqlOrTransaction } from '../plugin/sql.ts'
import type { Rate } from './token-buckets.ts'

/** What the node needs to know of a key at each request. */
export interface LoadedKey {
  readonly id: string
  readonly hash: Uint8Array
  readonly account: Uint8Array | null
  readonly scopes: readonly string[]
  /** The first one first. */
  readonly ancestors: readonly string[]
  /** Its own, and those of the keys that it comes from: every request counts against all. */
  readonly rates: readonly { readonly id: string; readonly rate: Rate }[]
  /** Milliseconds since 1970, of whichever ends first: it, or a key that it comes from. */
  readonly expiresAt: number
}

interface Row {
  readonly id: string
  readonly hash: Uint8Array
  readonly account: Uint8Array | null
  readonly scopes: readonly string[]
  readonly ancestors: readonly string[]
}

interface LineRow {
  readonly id: string
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly per_second: number | null
  readonly burst: number | null
}

/** A key, if it and all that it comes from are there and not revoked. Expiry is for the caller to look at. */
export async function loadKey(sql: SqlOrTransaction, id: string): Promise<LoadedKey | undefined> {
  const [row] = await sql<Row[]>`select id, hash, account, scopes, ancestors from core.api_key where id = ${id}`
  if (row === undefined) return undefined
  const ids = [...row.ancestors, row.id]
  const line = await sql<LineRow[]>`
    select id, expires_at, revoked_at, per_second, burst from core.api_key where id = any(${ids})`
  if (line.length !== ids.length || line.some(({ revoked_at }) => revoked_at !== null)) return undefined
  const rates = line.flatMap(({ id: of, per_second, burst }) =>
    per_second === null ? [] : [{ id: of, rate: { perSecond: per_second, burst: burst ?? per_second } }],
  )
  const ends = line.map(({ expires_at }) => expires_at?.getTime() ?? Number.POSITIVE_INFINITY)
  return { ...row, rates, expiresAt: Math.min(...ends) }
}

/** The channel on which nodes tell each other which key was revoked: its payload is the key's id. */
export const REVOKED_CHANNEL = 'core_key_revoked'

/** How long a revocation is looked for by those who may not have heard of it. */
const LOOK_BACK_SECONDS = 60

/** The keys that were revoked just now. */
export async function justRevoked(sql: SqlOrTransaction): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from core.api_key
    where revoked_at is not null and revoked_at > now() - make_interval(secs => ${LOOK_BACK_SECONDS})
    order by revoked_at desc limit 10000`
  return rows.map(({ id }) => id)
}

/** A key and all that come from it. */
export async function withDescendants(sql: SqlOrTransaction, id: string): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from core.api_key where id = ${id} or ancestors @> ${[id]}::text[]`
  return [id, ...rows.map((row) => row.id).filter((other) => other !== id)]
}
