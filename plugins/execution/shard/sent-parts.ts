import { type CborMap, encode, Reader, VALUE_DEPTH } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { MAX_SENT_ARGS } from '../ledger/rules.ts'

/** A copy of a cell's id that a module gives. @throws TypeError for anything else */
export function cellIdOf(id: unknown): Uint8Array {
  const copy = id instanceof Uint8Array ? new Uint8Array(id) : undefined
  if (copy?.length !== 32) throw new TypeError('a message goes to a cell: its id has 32 bytes')
  return copy
}

/** Arguments that a module gives, as the receiver will read them, wherever it is. @throws CallError VALUE_TOO_LARGE; CodecError */
export function ownArgs(args: Readonly<Record<string, unknown>>): CborMap {
  const encoded = encode(args as CborMap)
  if (encoded.length > MAX_SENT_ARGS) {
    throw new CallError('VALUE_TOO_LARGE', `a message's arguments have at most ${MAX_SENT_ARGS} bytes`)
  }
  const reader = new Reader(encoded)
  const own = reader.map(VALUE_DEPTH)
  reader.done()
  return own
}
