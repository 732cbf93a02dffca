import { CustodyError } from '../plugin/custody.ts'
import type { SqlOrTransaction, Transaction } from '../plugin/sql.ts'
import { firstForbidden } from './call-patterns.ts'

interface LineRow {
  readonly id: string
  readonly revoked_at: Date | null
  readonly expires_at: Date | null
  readonly calls: readonly string[] | null
  readonly is_capped: boolean
  readonly spent_on: string | null
}

/** What is signed, as far as it counts. */
export interface Spending {
  /** Calls of ledger modules. */
  readonly calls: readonly string[]
  /** Units. */
  readonly amount: bigint
}

/**
 * Counts an amount against a key and all that it comes from, in the caller's transaction. The keys' rows stay locked
 * until that ends, so two spendings never pass one cap together, and a key that was revoked before spends nothing.
 *
 * @param now milliseconds since 1970
 * @returns what to settle by
 * @throws CustodyError KEY_NOT_VALID | CALL_NOT_ALLOWED | SPENDING_CAP
 */
export async function countSpending(
  tx: Transaction,
  keyId: string,
  { calls, amount }: Spending,
  now: number,
): Promise<bigint> {
  const [key] = await tx<{ ancestors: string[] }[]>`select ancestors from core.api_key where id = ${keyId}`
  const ids = [...(key?.ancestors ?? []), keyId]
  // One order for all, so that two transactions cannot wait for each other.
  const line = await tx<LineRow[]>`
    select id, revoked_at, expires_at, calls, cap_total is not null or cap_daily is not null as is_capped,
      spent_on::text as spent_on
    from core.api_key where id = any(${ids}) order by id for no key update`
  const isValid = ({ revoked_at, expires_at }: LineRow): boolean =>
    revoked_at === null && (expires_at === null || expires_at.getTime() > now)
  if (line.length !== ids.length || !line.every(isValid))
    throw new CustodyError('KEY_NOT_VALID', 'This API key is expired or revoked. Use another.')
  for (const { calls: allowed, is_capped: isCapped } of line) {
    const forbidden = firstForbidden({ calls: allowed, isCapped }, calls)
    if (forbidden !== undefined)
      throw new CustodyError(
        'CALL_NOT_ALLOWED',
        `This API key may not sign ${forbidden}. Make one with it in \`calls\`.`,
      )
  }
  // A day never comes again: a node whose clock is behind must not begin a new one.
  const day = line.reduce(
    (latest, { spent_on }) => (spent_on !== null && spent_on > latest ? spent_on : latest),
    dayOf(now),
  )
  try {
    await tx`
      update core.api_key set
        spent_total = spent_total + ${String(amount)}::numeric,
        spent_daily = case when spent_on = ${day}::date then spent_daily else 0 end + ${String(amount)}::numeric,
        spent_on = ${day}::date
      where id = any(${ids})`
  } catch (error) {
    throw overCap(error) ?? error
  }
  const [row] = await tx<{ id: bigint }[]>`
    insert into core.spending (key_ids, amount, spent_on, created_at)
    values (${ids}, ${String(amount)}::numeric, ${day}::date, ${new Date(now)})
    returning id`
  if (row === undefined) throw new TypeError('an insert returned no row')
  return row.id
}

/** Gives back what was counted beyond `spent`; nothing if it was settled before. */
export async function settleSpending(tx: SqlOrTransaction, spending: bigint, spent: bigint): Promise<void> {
  // One statement, so that it is whole even outside a transaction.
  await tx`
    with settled as (
      delete from core.spending where id = ${spending.toString()} returning key_ids, amount, spent_on
    ), locked as (
      select k.id, s.spent_on, greatest(s.amount - ${String(spent)}::numeric, 0) as unspent
      from core.api_key k join settled s on k.id = any(s.key_ids)
      order by k.id for no key update of k
    )
    update core.api_key k set
      spent_total = k.spent_total - l.unspent,
      spent_daily = case when k.spent_on = l.spent_on then k.spent_daily - l.unspent else k.spent_daily end
    from locked l where k.id = l.id`
}

/** The day in UTC, as Postgres writes it. */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10)

function overCap(error: unknown): CustodyError | undefined {
  if (!(error instanceof Error) || !('constraint_name' in error)) return undefined
  if (error.constraint_name === 'within_cap_total')
    return new CustodyError('SPENDING_CAP', 'This would go beyond what the API key may spend in all.')
  if (error.constraint_name === 'within_cap_daily')
    return new CustodyError('SPENDING_CAP', 'This would go beyond what the API key may spend in a day (UTC).')
  return undefined
}
