import type { Principal } from '../../schema/index.ts'
import type { SqlOrTransaction, Transaction } from '../plugin/sql.ts'
import { checkName, manages } from './accounts.ts'
import { isKeyId, newKey } from './api-key.ts'
import { actorOf } from './audit.ts'
import { isCallPattern } from './call-patterns.ts'
import { IdentityError } from './errors.ts'
import { REVOKED_CHANNEL } from './key-rows.ts'
import { ALL_SCOPES, isGrant } from './scopes.ts'
import type { Rate } from './token-buckets.ts'

/** Good keys that one account can have at a time; and all that it has, with those that ended in the last month. */
const KEYS_PER_ACCOUNT = 100
const ROWS_PER_ACCOUNT = 1_000
const MAX_SCOPES = 32
const MAX_CALLS = 32
const MAX_ANCESTORS = 4
const MAX_RATE = 1_000_000
/** The largest amount that the ledger knows is below 2^128. */
const MAX_AMOUNT = 1n << 128n

/** What a new key shall be. */
export interface KeyOptions {
  readonly name: string
  /** The account that it acts for; null for an operator's key. */
  readonly account: Uint8Array | null
  readonly scopes: readonly string[]
  /** Calls of ledger modules that it may sign, like `market.*`; null for all, or, if it is capped, payments only. */
  readonly calls?: readonly string[] | null
  readonly expiresAt: Date | null
  /** Null for no limit of its own. */
  readonly rate: Rate | null
  /** Units; null for no cap of its own. */
  readonly capTotal: bigint | null
  readonly capDaily: bigint | null
}

/** What holds for the making of a key. */
export interface KeyTerms {
  /** The most that anybody but the operator can give a key. */
  readonly rate: Rate
  /** The account was made by the same maker in the same transaction. */
  readonly isFirst?: boolean
}

/** A key as its owner sees it. */
export interface KeyRecord extends KeyOptions {
  readonly id: string
  readonly calls: readonly string[] | null
  /** The keys that it comes from, the first one first. */
  readonly ancestors: readonly string[]
  readonly createdBy: string
  readonly createdAt: Date
  readonly revokedAt: Date | null
  readonly spentTotal: bigint
  /** On the day (UTC, `2026-01-31`) of `spentOn`. */
  readonly spentDaily: bigint
  readonly spentOn: string | null
}

/** The node itself, at its command line: nothing is above it. */
export const CONSOLE: Principal = Object.freeze({
  kind: 'key',
  id: 'console',
  account: null,
  scopes: new Set([ALL_SCOPES]),
  access: 'console',
  can: () => true,
})

/**
 * Makes a key, in the caller's transaction. Nobody gives more than they have: a key's scopes are among its maker's, and
 * what it spends and asks counts against the key that made it, too; it ends with that key.
 *
 * @returns the key, and its secret form, which is nowhere else
 * @throws IdentityError
 */
export async function createKey(
  tx: Transaction,
  maker: Principal,
  options: KeyOptions,
  now: number,
  terms: KeyTerms,
): Promise<{ readonly key: KeyRecord; readonly token: string }> {
  const { account } = options
  const managing = terms.isFirst === true ? 'own' : await manages(tx, maker, account)
  if (managing === undefined) throw new IdentityError('NOT_YOURS', 'This is not your account. Make keys for your own.')
  const { name, scopes } = checkOptions(maker, options, now, terms.rate)
  if (managing === 'operator' && account !== null && maker.id !== CONSOLE.id && scopes.some(reachesWallet))
    throw new IdentityError('SCOPE_NOT_YOURS', "An operator's key cannot make keys that reach into others' wallets.")
  await checkRoom(tx, account, now)
  const ancestors = await lineOf(tx, maker, account)
  const { id, token, hash } = newKey()
  const { calls = null, expiresAt, rate, capTotal, capDaily } = options
  const createdAt = new Date(now)
  const createdBy = actorOf(maker)
  await tx`
    insert into core.api_key (id, hash, account, name, scopes, calls, ancestors, created_by, created_at, expires_at,
      per_second, burst, cap_total, cap_daily)
    values (${id}, ${hash}, ${account}, ${name}, ${scopes}, ${calls}, ${ancestors}, ${createdBy}, ${createdAt}, ${expiresAt},
      ${rate?.perSecond ?? null}, ${rate?.burst ?? null}, ${text(capTotal)}::numeric, ${text(capDaily)}::numeric)`
  const unused = { revokedAt: null, spentTotal: 0n, spentDaily: 0n, spentOn: null }
  return { key: { ...options, name, scopes, calls, id, ancestors, createdBy, createdAt, ...unused }, token }
}

/**
 * Ends a key, in the caller's transaction, and tells every node when that commits. What was made by it ends, too.
 * @throws IdentityError KEY_UNKNOWN | NOT_YOURS
 */
export async function revokeKey(tx: Transaction, principal: Principal, id: string): Promise<KeyRecord> {
  const key = isKeyId(id) ? await findKey(tx, id) : undefined
  if (key === undefined || (await manages(tx, principal, key.account)) === undefined) throw unknownKey()
  const isOwn = key.id === principal.id || key.ancestors.includes(principal.id)
  // A lesser key must not end a greater one of the same account.
  if (principal.kind === 'key' && !isOwn && !key.scopes.every((scope) => principal.can(scope)))
    throw new IdentityError('NOT_YOURS', 'This key may do more than yours. Use one that may do as much.')
  if (await comesFrom(tx, principal, key.id))
    throw new IdentityError('NOT_YOURS', 'Your key comes from this one: whoever has that one ends it.')
  const [row] = await tx<{ revokedAt: Date }[]>`
    update core.api_key set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning revoked_at as "revokedAt"`
  await tx`select pg_notify(${REVOKED_CHANNEL}, ${id})`
  return { ...key, revokedAt: row?.revokedAt ?? null }
}

/** Whether the caller's key was made by that one, or by one that was. */
async function comesFrom(tx: Transaction, { kind, id }: Principal, other: string): Promise<boolean> {
  if (kind !== 'key' || id === CONSOLE.id) return false
  return (await findKey(tx, id))?.ancestors.includes(other) === true
}

/** The key of this id, whoever's it is. */
export async function findKey(sql: SqlOrTransaction, id: string): Promise<KeyRecord | undefined> {
  const [row] = await sql<KeyRow[]>`select * from core.api_key where id = ${id}`
  return row === undefined ? undefined : record(row)
}

/** Where a page of keys goes on. */
export interface KeyPlace {
  readonly createdAt: Date
  readonly id: string
}

/** One page of keys, oldest first. @param account whose; undefined for everybody's */
export async function listKeys(
  sql: SqlOrTransaction,
  account: Uint8Array | null | undefined,
  limit: number,
  after: KeyPlace | undefined,
): Promise<readonly KeyRecord[]> {
  const rows = await sql<KeyRow[]>`
    select * from core.api_key
    where true
      ${account === undefined ? sql`` : account === null ? sql`and account is null` : sql`and account = ${account}`}
      ${after === undefined ? sql`` : sql`and (created_at, id) > (${after.createdAt}, ${after.id})`}
    order by created_at, id limit ${limit}`
  return rows.map(record)
}

interface KeyRow {
  readonly id: string
  readonly account: Uint8Array | null
  readonly name: string
  readonly scopes: readonly string[]
  readonly calls: readonly string[] | null
  readonly ancestors: readonly string[]
  readonly created_by: string
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly per_second: number | null
  readonly burst: number | null
  readonly cap_total: string | null
  readonly cap_daily: string | null
  readonly spent_total: string
  readonly spent_daily: string
  readonly spent_on: Date | null
}

const record = (row: KeyRow): KeyRecord => ({
  id: row.id,
  account: row.account,
  name: row.name,
  scopes: row.scopes,
  calls: row.calls,
  ancestors: row.ancestors,
  createdBy: row.created_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  rate: row.per_second === null ? null : { perSecond: row.per_second, burst: row.burst ?? row.per_second },
  capTotal: row.cap_total === null ? null : BigInt(row.cap_total),
  capDaily: row.cap_daily === null ? null : BigInt(row.cap_daily),
  spentTotal: BigInt(row.spent_total),
  spentDaily: BigInt(row.spent_daily),
  spentOn: row.spent_on === null ? null : row.spent_on.toISOString().slice(0, 10),
})

function checkOptions(
  maker: Principal,
  options: KeyOptions,
  now: number,
  most: Rate,
): { name: string; scopes: readonly string[] } {
  const { expiresAt, rate, capTotal, capDaily } = options
  const scopes = [...new Set(options.scopes)].sort()
  const bad = (message: string) => new IdentityError('BAD_KEY_OPTIONS', message)
  if (scopes.length > MAX_SCOPES) throw bad(`A key has at most ${MAX_SCOPES} scopes.`)
  const odd = scopes.find((scope) => !isGrant(scope))
  if (odd !== undefined) throw bad(`${JSON.stringify(odd.slice(0, 100))} is not a scope. Write it like "jobs:read".`)
  const missing = scopes.find((scope) => !maker.can(scope))
  if (missing !== undefined)
    throw new IdentityError('SCOPE_NOT_YOURS', `You cannot give the scope ${missing}, because you do not have it.`)
  if (expiresAt !== null && !(expiresAt.getTime() > now)) throw bad('The key would have expired already.')
  if (rate !== null && ![rate.perSecond, rate.burst].every((n) => Number.isInteger(n) && n >= 1 && n <= MAX_RATE))
    throw bad(`A rate is 1 to ${MAX_RATE} requests.`)
  const exceeds = rate === null || rate.perSecond > most.perSecond || rate.burst > most.burst
  if (exceeds && !maker.can(ALL_SCOPES))
    throw bad(`A key may ask ${most.perSecond} times a second at most, and ${most.burst} times at once.`)
  for (const cap of [capTotal, capDaily])
    if (cap !== null && (cap < 0n || cap >= MAX_AMOUNT)) throw bad('A spending cap is an amount from 0 on.')
  const { calls = null } = options
  if (calls !== null && (calls.length === 0 || calls.length > MAX_CALLS))
    throw bad(`Name 1 to ${MAX_CALLS} calls, or leave them out.`)
  const strange = calls?.find((pattern) => !isCallPattern(pattern))
  if (strange !== undefined)
    throw bad(`${JSON.stringify(strange.slice(0, 100))} is not a call. Write it like "market.buy" or "market.*".`)
  const isCapped = capTotal !== null || capDaily !== null
  const exports = scopes.some((scope) => scope !== 'wallet:send' && reachesWallet(scope))
  if (isCapped && exports)
    throw bad('A key that may export the wallet can spend everything: leave out its cap, or wallet:export.')
  return { name: checkName(options.name), scopes }
}

async function checkRoom(tx: Transaction, account: Uint8Array | null, now: number): Promise<void> {
  const whose = account === null ? tx`account is null` : tx`account = ${account}`
  // What comes from a key that is gone counts as revoked: nothing becomes good by this.
  await tx`
    delete from core.api_key where ${whose} and (
      revoked_at < now() - interval '30 days' or expires_at < ${new Date(now)}::timestamptz - interval '30 days')`
  const [row] = await tx<{ all: number; good: number }[]>`
    select count(*)::int as all,
      (count(*) filter (where revoked_at is null and (expires_at is null or expires_at > ${new Date(now)})))::int as good
    from core.api_key where ${whose}`
  if (row !== undefined && (row.good >= KEYS_PER_ACCOUNT || row.all >= ROWS_PER_ACCOUNT))
    throw new IdentityError(
      'KEY_LIMIT',
      'This account has as many keys as it can have. Revoke some, or wait for a month.',
    )
}

/** What a new key comes from: its maker, if that is a key of the same account. */
async function lineOf(tx: Transaction, maker: Principal, account: Uint8Array | null): Promise<readonly string[]> {
  if (maker.kind !== 'key' || maker.id === CONSOLE.id) return []
  const own = await findKey(tx, maker.id)
  if (own === undefined || own.revokedAt !== null) throw unknownKey()
  const isSame =
    account === null ? own.account === null : own.account !== null && Buffer.compare(account, own.account) === 0
  if (!isSame) return []
  const line = [...own.ancestors, own.id]
  if (line.length > MAX_ANCESTORS)
    throw new IdentityError('KEY_LIMIT', 'Keys that were made by keys cannot go on so for ever. Use an earlier one.')
  return line
}

/** Whether a grant lets its bearer at the money of an account. */
const reachesWallet = (grant: string): boolean => grant === ALL_SCOPES || grant.startsWith('wallet:')

const text = (amount: bigint | null): string | null => (amount === null ? null : String(amount))

const unknownKey = (): IdentityError => new IdentityError('KEY_UNKNOWN', 'There is no such key of yours.')
