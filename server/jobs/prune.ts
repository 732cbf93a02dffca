import type { Sql } from '../plugin/sql.ts'

/** How long runs are kept after their end, and how many of each job at most. */
export interface Keeping {
  readonly days: number
  readonly runs: number
}

const KEPT = {
  completed: { days: 3, runs: 100_000 },
  cancelled: { days: 3, runs: 100_000 },
  failed: { days: 30, runs: 100_000 },
} as const satisfies Record<string, Keeping>

/** Rows that one statement removes. */
const PORTION = 5_000

/**
 * Forgets old runs. Several nodes may do it at once.
 * @param sql any pool on the node's database
 */
export async function prune(sql: Sql, kept: Readonly<Record<keyof typeof KEPT, Keeping>> = KEPT): Promise<void> {
  const queues = await sql<{ name: string }[]>`select name from pgboss.queue`
  for (const { name } of queues)
    for (const [state, { days, runs }] of Object.entries(kept)) {
      let removed = PORTION
      while (removed === PORTION) {
        const gone = await sql`
          delete from pgboss.job where name = ${name} and id = any(array(
            select id from pgboss.job
            where name = ${name} and state = ${state}::pgboss.job_state and completed_on <= greatest(
              now() - make_interval(days => ${days}),
              (select completed_on from pgboss.job
               where name = ${name} and state = ${state}::pgboss.job_state and completed_on is not null
               order by completed_on desc offset ${runs} limit 1)
            )
            limit ${PORTION}
          ))`
        removed = gone.count
      }
    }
}
