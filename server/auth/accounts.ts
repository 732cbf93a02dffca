import sodium from 'sodium-native'
import type { Principal } from '../../schema/index.ts'
import type { Sql, SqlOrTransaction, Transaction } from '../plugin/sql.ts'
import { IdentityError } from './errors.ts'
import { awaitRotation } from './rotate.ts'
import { ALL_SCOPES } from './scopes.ts'
import type { Sealed, Vault } from './vault.ts'

/** How many custodial accounts one wallet may have made. */
const ACCOUNTS_PER_OWNER = 20
const MAX_NAME = 100

/** An account whose secret the node keeps. */
export interface CustodialAccount {
  readonly address: Uint8Array
  readonly owner: Uint8Array | null
  readonly name: string
  readonly createdAt: Date
  /** When its secret was given out last; null if it never was. */
  readonly exportedAt: Date | null
}

/** Makes an account with a secret of its own, which exists in no other form than sealed. */
export async function createAccount(
  tx: Transaction,
  vault: Vault,
  account: { readonly owner: Uint8Array | null; readonly name: string; readonly createdAt: Date },
): Promise<CustodialAccount> {
  const { owner, createdAt } = account
  const name = checkName(account.name)
  if (owner !== null) {
    const [row] = await tx<{ count: number }[]>`
      select count(*)::int as count from core.custodial_account where owner = ${owner}`
    if ((row?.count ?? 0) >= ACCOUNTS_PER_OWNER)
      throw new IdentityError('ACCOUNT_LIMIT', `You have ${ACCOUNTS_PER_OWNER} accounts already. Use one of them.`)
  }
  await awaitRotation(tx)
  vault.refresh()
  const seed = Buffer.alloc(32)
  const address = Buffer.alloc(32)
  const pair = Buffer.alloc(64)
  try {
    sodium.randombytes_buf(seed)
    sodium.crypto_sign_seed_keypair(address, pair, seed)
    const { sealed, under } = vault.seal(seed, address)
    await tx`
      insert into core.custodial_account (address, owner, name, sealed, sealed_under, created_at)
      values (${address}, ${owner}, ${name}, ${sealed}, ${under}, ${createdAt})`
  } finally {
    sodium.sodium_memzero(seed)
    sodium.sodium_memzero(pair)
  }
  return { address, owner, name, createdAt, exportedAt: null }
}

/** The account, or undefined if the node keeps no secret of this address. */
export async function findAccount(sql: SqlOrTransaction, address: Uint8Array): Promise<CustodialAccount | undefined> {
  const [row] = await sql<CustodialAccount[]>`
    select address, owner, name, created_at as "createdAt", exported_at as "exportedAt"
    from core.custodial_account where address = ${address}`
  return row
}

/** The accounts that a wallet may manage, in order of address. */
export function accountsOf(sql: Sql, owner: Uint8Array, limit: number, after: Uint8Array | undefined) {
  return sql<CustodialAccount[]>`
    select address, owner, name, created_at as "createdAt", exported_at as "exportedAt"
    from core.custodial_account
    where owner = ${owner} ${after === undefined ? sql`` : sql`and address > ${after}`}
    order by address limit ${limit}`
}

/** The master keys that accounts are sealed under. */
export async function sealingKeys(sql: SqlOrTransaction): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`select distinct sealed_under as id from core.custodial_account limit 100`
  return rows.map(({ id }) => id)
}

/** The sealed secret of an account. */
export async function sealedOf(sql: SqlOrTransaction, address: Uint8Array): Promise<Sealed | undefined> {
  const [row] = await sql<Sealed[]>`
    select sealed, sealed_under as under from core.custodial_account where address = ${address}`
  return row
}

/**
 * Gives out the secret of an account, to the account itself or to the wallet that owns it; not even the operator's key
 * gets another's.
 * @returns 64 hex digits behind 0x: the seed of the key pair
 * @throws IdentityError ACCOUNT_UNKNOWN | NOT_YOURS
 */
export async function exportAccount(
  tx: Transaction,
  vault: Vault,
  principal: Principal,
  address: Uint8Array,
  now: Date,
): Promise<string> {
  const account = await findAccount(tx, address)
  const isOwn = (whose: Uint8Array | null): boolean =>
    whose !== null && principal.account !== null && Buffer.compare(whose, principal.account) === 0
  const sealed = account === undefined ? undefined : await sealedOf(tx, address)
  if (account === undefined || sealed === undefined) throw unknownAccount()
  if (!(isOwn(account.address) || (principal.kind === 'wallet' && isOwn(account.owner)))) throw unknownAccount()
  await tx`update core.custodial_account set exported_at = ${now} where address = ${address}`
  return vault.reveal(address, sealed)
}

/** How somebody comes to manage an account's keys: it is theirs, or they are the operator. */
export type Managing = 'own' | 'operator' | undefined

/** Whether somebody may manage an account's keys; null stands for the operator's keys. */
export async function manages(
  sql: SqlOrTransaction,
  principal: Principal,
  address: Uint8Array | null,
): Promise<Managing> {
  const { kind, account } = principal
  if (address === null) {
    if (kind === 'key' && account === null) return 'own'
  } else if (account !== null) {
    if (Buffer.compare(address, account) === 0) return 'own'
    const owner = kind === 'wallet' ? (await findAccount(sql, address))?.owner : undefined
    if (owner != null && Buffer.compare(owner, account) === 0) return 'own'
  }
  return principal.can(ALL_SCOPES) ? 'operator' : undefined
}

/** The same for what is not there and for what is another's: nobody learns which. */
const unknownAccount = (): IdentityError =>
  new IdentityError('ACCOUNT_UNKNOWN', 'The node keeps no such account of yours.')

/** A name for people, without what could forge a line of a log or a table. */
export function checkName(text: string): string {
  const name = text.trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (name.length > 0 && name.length <= MAX_NAME && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/.test(name))
    return name
  throw new IdentityError('BAD_KEY_OPTIONS', `A name has 1 to ${MAX_NAME} characters, and no control characters.`)
}
