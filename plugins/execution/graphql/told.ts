import { apiError } from '../../../schema/index.ts'
import { SubmissionError } from '../gateway/errors.ts'
import { LedgerNotStartedError } from '../ledger-handle.ts'
import { ShardHostError } from '../shard/shard-host.ts'

/**
 * Turns what the ledger says of a passing trouble (OVERLOADED, SHARD_UNAVAILABLE, DATABASE_UNAVAILABLE,
 * VERIFIER_CRASHED, DRAINING, LEDGER_NOT_STARTED) into an error that clients see with its code. Nothing was done; the
 * same request may be sent again. Anything else stays as it is, and is masked.
 */
export function tellable(error: unknown): unknown {
  if (error instanceof SubmissionError || error instanceof LedgerNotStartedError || isAway(error)) {
    return apiError(error.code, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`)
  }
  return error
}

/** The ledger's answer, or its trouble in a form that clients see. */
export async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw tellable(error)
  }
}

const isAway = (error: unknown): error is ShardHostError =>
  error instanceof ShardHostError && error.code === 'SHARD_UNAVAILABLE'
