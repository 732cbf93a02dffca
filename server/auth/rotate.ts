import type { Sql, Transaction } from '../plugin/sql.ts'
import { KeystoreError } from './errors.ts'
import { type MasterKeySource, newMasterKey } from './master-keys.ts'
import { Vault } from './vault.ts'

const AT_A_TIME = 500
/** Older keys are dropped beyond so many. */
const MAX_KEYS = 16
const LOCK = 'deaios/keystore'

/** What a rotation did. */
export interface Rotation {
  /** Accounts that were sealed anew. */
  readonly accounts: number
  /** The id of the key that seals from now on. */
  readonly key: string
}

export interface RotateOptions {
  /** Makes a new key first; false to seal everything under the first key that there is. */
  readonly makesKey: boolean
  /** Forgets the older keys, when nothing is sealed under them any more. */
  readonly dropsOld: boolean
}

/**
 * Seals every account's secret under a new master key. It can be done while nodes run, and broken off anywhere: the new
 * key is on disk before it is used, and the old ones stay until nothing needs them.
 */
export async function rotateMasterKey(
  sql: Sql,
  source: MasterKeySource,
  { makesKey, dropsOld }: RotateOptions,
): Promise<Rotation> {
  const before = source.read()
  const keys = makesKey ? [newMasterKey(), ...before].slice(0, MAX_KEYS) : before
  const [current] = keys
  if (current === undefined) throw new KeystoreError('KEYSTORE_KEY_BAD', `${source.where} holds no key`)
  const unneeded = before.filter((key) => !keys.includes(key))
  if (unneeded.length > 0) await checkUnused(sql, unneeded)
  if (makesKey) source.write(keys)
  const vault = new Vault(source)
  let accounts = 0
  for (;;) {
    const resealed = await sql.begin(async (tx) => {
      // Accounts that are made now are sealed under what their node reads after this.
      await tx`select pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))`
      const rows = await tx<{ address: Buffer; sealed: Buffer; under: string }[]>`
        select address, sealed, sealed_under as under from core.custodial_account
        where sealed_under <> ${current.id} order by address limit ${AT_A_TIME} for update`
      for (const { address, ...old } of rows) {
        const { sealed, under } = vault.reseal(address, old, current)
        await tx`update core.custodial_account set sealed = ${sealed}, sealed_under = ${under} where address = ${address}`
      }
      return rows.length
    })
    accounts += resealed
    if (resealed < AT_A_TIME) break
  }
  if (dropsOld) source.write([current])
  return { accounts, key: current.id }
}

/**
 * Holds rotation up until the caller's transaction ends. The key that seals is to be read after this.
 */
export async function awaitRotation(tx: Transaction): Promise<void> {
  await tx`select pg_advisory_xact_lock_shared(hashtextextended(${LOCK}, 0))`
}

async function checkUnused(sql: Sql, keys: readonly { readonly id: string }[]): Promise<void> {
  const ids = keys.map(({ id }) => id)
  const [used] = await sql<{ id: string }[]>`
    select sealed_under as id from core.custodial_account where sealed_under = any(${ids}) limit 1`
  if (used === undefined) return
  throw new KeystoreError(
    'KEYSTORE_KEY_BAD',
    `there are ${MAX_KEYS} keys, and the oldest (${used.id}) is still needed; rotate without a new key first`,
  )
}
