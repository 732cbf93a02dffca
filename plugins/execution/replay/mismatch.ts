import { CodecError, equal, TransactionError, toHex } from '../../../protocol/index.ts'

/** Where in the chain something is: a shard's block, or a root block. */
export interface Place {
  /** A shard's id, or `root`. */
  readonly shard: string
  readonly height: number
}

/** What was stored is not what executing it again gives: the first difference. */
export class ReplayMismatch extends Error {
  override readonly name = 'ReplayMismatch'
  readonly code = 'REPLAY_MISMATCH'
  readonly place: Place
  /** What differs, like `cellsRoot`. */
  readonly what: string

  constructor(place: Place, what: string, explanation: string) {
    super(`${place.shard === 'root' ? 'root block' : `shard ${place.shard}, block`} ${place.height}: ${explanation}`)
    this.place = place
    this.what = what
  }
}

/** @throws ReplayMismatch if two values of a header's field differ */
export function mustEqual(place: Place, what: string, stored: FieldValue, replayed: FieldValue): void {
  const same =
    stored instanceof Uint8Array && replayed instanceof Uint8Array ? equal(stored, replayed) : stored === replayed
  if (!same)
    throw new ReplayMismatch(place, what, `${what} is stored as ${shown(stored)}, and replayed as ${shown(replayed)}`)
}

export type FieldValue = string | number | bigint | Uint8Array

const shown = (value: FieldValue): string => (value instanceof Uint8Array ? toHex(value) : String(value))

/** Reads stored bytes. @throws ReplayMismatch if they cannot be read */
export function readable<T>(place: Place, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof TransactionError)) throw error
    throw new ReplayMismatch(place, what, `its ${what} cannot be read: ${error.message}`)
  }
}
