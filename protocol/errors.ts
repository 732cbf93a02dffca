/**
 * - `MALFORMED`: not CBOR, or holds something the protocol has no value for (a float, an unknown tag, a duplicate key).
 * - `NOT_CANONICAL`: a value the protocol has, spelled otherwise than RFC 8949, 4.2.1 demands.
 * - `UNSUPPORTED`: asked to encode a JavaScript value that has no encoding.
 */
export type CodecErrorCode = 'MALFORMED' | 'NOT_CANONICAL' | 'UNSUPPORTED'

/** Bytes that cannot be read as what they should be, or a value that cannot be written. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly code: CodecErrorCode

  constructor(code: CodecErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export type TransactionErrorCode = 'TOO_LARGE' | 'MALFORMED' | 'NOT_CANONICAL' | 'WRONG_NETWORK'

/** A transaction that no node would read; the codes are the ones a client is answered with. */
export class TransactionError extends Error {
  override readonly name = 'TransactionError'
  readonly code: TransactionErrorCode

  constructor(code: TransactionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type TrieErrorCode = 'DUPLICATE_KEY' | 'KEY_LENGTH' | 'OUTSIDE_PREFIX'

/** A set of entries of which no trie can be made. */
export class TrieError extends Error {
  override readonly name = 'TrieError'
  readonly code: TrieErrorCode

  constructor(code: TrieErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * What does not hold of a proof:
 * - `ENCODING`: its bytes are none.
 * - `ROOT`: it leads to another root header than the trusted one.
 * - `COMMITMENT`: that root header does not list the block.
 * - `SUBJECT`: it is about something else than what was asked for: another block, shard, cell, key, transaction.
 * - `CONTENT`: what it shows does not follow from the header's roots.
 */
export type ProofFault = 'ENCODING' | 'ROOT' | 'COMMITMENT' | 'SUBJECT' | 'CONTENT'

/** A proof that proves nothing. */
export class ProofInvalidError extends Error {
  override readonly name = 'ProofInvalidError'
  readonly code = 'PROOF_INVALID'
  readonly what: ProofFault

  constructor(what: ProofFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.what = what
  }
}
