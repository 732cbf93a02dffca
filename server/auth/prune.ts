import type { Sql } from '../plugin/sql.ts'
import { AUDIT_DAYS } from './audit.ts'

const DAY_MS = 24 * 60 * 60_000
const SPENDING_DAYS = 30
const AT_A_TIME = 10_000

/** Removes what is too old: entries of the audit log, and spendings that nobody came to settle (they stay counted). */
export async function prune(sql: Sql, now: number): Promise<void> {
  const before = (days: number): Date => new Date(now - days * DAY_MS)
  await sql`
    delete from core.audit where id in (
      select id from core.audit where at < ${before(AUDIT_DAYS)} order by at limit ${AT_A_TIME})`
  await sql`delete from core.spending where created_at < ${before(SPENDING_DAYS)}`
}
