/**
 * - `NOT_A_SNAPSHOT`: the file is something else, or of a version that this program does not read.
 * - `DAMAGED`: a part of the file is missing or was changed.
 * - `FALSE_STATE`: the file is whole, but what it says is not what the network's validators signed.
 * - `OTHER_NETWORK`: it is of another network than the one that is wanted.
 * - `NOT_EMPTY`: the database that it should be brought into has a network already.
 * - `NO_SUCH_HEIGHT`: the root chain is not there yet, or not any more.
 * - `HISTORY_MISSING`: what the database once had at that height it cannot tell.
 */
export type SnapshotErrorCode =
  | 'NOT_A_SNAPSHOT'
  | 'DAMAGED'
  | 'FALSE_STATE'
  | 'OTHER_NETWORK'
  | 'NOT_EMPTY'
  | 'NO_SUCH_HEIGHT'
  | 'HISTORY_MISSING'

/** A snapshot that cannot be made, or must not be used. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly code: SnapshotErrorCode

  constructor(code: SnapshotErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What a snapshot says is not what was signed. */
export const falseState = (what: string): SnapshotError =>
  new SnapshotError('FALSE_STATE', `${what}: the snapshot is not what the validators signed; do not use it`)
