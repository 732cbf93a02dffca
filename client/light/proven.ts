import { CodecError, fromHex, ProofInvalidError } from '../../protocol/index.ts'
import { ClientError } from '../errors.ts'

/** Runs what reads or checks bytes of a node. @throws ClientError PROOF_INVALID with what is wrong as `reason` */
export function proving<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof ProofInvalidError) throw invalid(error.what, error.message, error)
    if (error instanceof CodecError) throw invalid('ENCODING', error.message, error)
    throw error
  }
}

/** What a node answered does not follow from what is trusted. */
export function invalid(reason: string, message: string, cause?: unknown): ClientError {
  return new ClientError('PROOF_INVALID', message, { reason, cause })
}

/**
 * The bytes of a proof that a node answers: anything may stand where its schema has hex.
 * @throws ClientError PROOF_INVALID if it gives none
 */
export function proofBytes(hex: unknown, what: string): Uint8Array {
  if (typeof hex !== 'string') throw invalid('MISSING', `the node gives no proof of ${what}`)
  return proving(() => fromHex(hex))
}
