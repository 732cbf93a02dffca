import { codeOf } from '../db/errors.ts'
import type { SqlOrTransaction } from '../plugin/sql.ts'

/** SQLSTATE of `core.check_fence` when there is a newer leader. */
const FENCED = 'DF001'

/** A write of a leader that was replaced: nothing of it was kept. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
  readonly code = 'FENCED'
}

/** What a leader job's lease is called: the first argument of `core.check_fence(lease, fence)`. */
export const leaseName = (plugin: string, job: string): string => `${plugin}/${job}`

/** True for what Postgres, or this module, says to a leader that was replaced. */
export const isFenced = (error: unknown): boolean => codeOf(error) === FENCED || codeOf(error) === 'FENCED'

/** Holds a transaction to the fence. @throws FencedError if there is a newer leader */
export async function checkFence(tx: SqlOrTransaction, lease: string, fence: bigint): Promise<void> {
  try {
    await tx`select core.check_fence(${lease}, ${fence})`
  } catch (error) {
    if (!isFenced(error)) throw error
    throw new FencedError(`${lease} has a newer leader; stop what this run does, it counts no more`, { cause: error })
  }
}
