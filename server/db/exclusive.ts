import type { Sql } from '../plugin/sql.ts'

/** The advisory lock's key: 'deaios' in two numbers. */
const LOCK = [0x64_65_61, 0x69_6f_73] as const

/**
 * Does something that only one node may do at a time: the others wait for their turn. The lock belongs to a session, so
 * it goes with the process.
 */
export async function exclusively<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  const session = await sql.reserve()
  try {
    await session`select pg_advisory_lock(${LOCK[0]}, ${LOCK[1]})`
    try {
      return await work()
    } finally {
      await session`select pg_advisory_unlock(${LOCK[0]}, ${LOCK[1]})`
    }
  } finally {
    session.release()
  }
}
