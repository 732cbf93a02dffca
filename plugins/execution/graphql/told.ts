import { apiError } from '../../../schema/index.ts'
import { SubmissionError } from '../gateway/errors.ts'
import { LedgerNotStartedError } from '../ledger-handle.ts'
import { ListingGoneError, NotListedError } from '../proofs/listings.ts'
import { ProofTooLargeError } from '../proofs/root-proofs.ts'
import { ShardHostError } from '../shard/shard-host.ts'

/**
 * Turns what the ledger says of a passing trouble (OVERLOADED, SHARD_UNAVAILABLE, DATABASE_UNAVAILABLE,
 * SHARD_BUSY, VERIFIER_CRASHED, DRAINING, LEDGER_NOT_STARTED, NOT_LISTED_YET), or
 * of a proof that would be too large (PROOF_TOO_LARGE) or cannot be made here (HISTORY_MISSING), into an error that clients
 * see with its code. Nothing was done. Anything else stays as it is, and is masked.
 */
export function tellable(error: unknown): unknown {
  if (isTold(error) || isAway(error)) {
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
  error instanceof ShardHostError && (error.code === 'SHARD_UNAVAILABLE' || error.code === 'SHARD_BUSY')

const isTold = (error: unknown) =>
  error instanceof SubmissionError ||
  error instanceof LedgerNotStartedError ||
  error instanceof NotListedError ||
  error instanceof ListingGoneError ||
  error instanceof ProofTooLargeError
