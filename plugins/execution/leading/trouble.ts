import { PeerError, RemoteError } from '../../../server/plugin.ts'
import { SubmissionError, WatchLimitError } from '../gateway/errors.ts'
import { ShardHostError } from '../shard/shard-host.ts'

const SUBMISSION = new Set<string>([
  'OVERLOADED',
  'SHARD_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'VERIFIER_CRASHED',
  'DRAINING',
] satisfies SubmissionError['code'][])

/** What the way to the leader, or the leader itself, ran into, as the ledger's callers know it. */
export function ledgerTrouble(error: unknown): unknown {
  if (error instanceof PeerError) {
    const message =
      error.code === 'LEADER_LOST'
        ? 'the node that makes the blocks went before it had answered: look whether it was done, then try again'
        : 'no node makes blocks now: try again in a moment'
    return new SubmissionError(error.code === 'PEER_BUSY' ? 'OVERLOADED' : 'SHARD_UNAVAILABLE', message, error)
  }
  if (!(error instanceof RemoteError)) return error
  if (isSubmissionCode(error.code)) return new SubmissionError(error.code, error.message, error)
  if (error.code === 'WATCH_LIMIT') return new WatchLimitError(error.message)
  return error.code?.startsWith('SHARD_') === true ? new ShardHostError(error.code, error.message) : error
}

const isSubmissionCode = (code: string | undefined): code is SubmissionError['code'] =>
  code !== undefined && SUBMISSION.has(code)
