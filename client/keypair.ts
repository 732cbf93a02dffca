import nacl from 'tweetnacl'
import { CodecError, fromHex, toHex } from '../protocol/index.ts'
import { ClientError } from './errors.ts'

/** An ed25519 key pair. The secret never leaves the object it is in: it is not printed and not turned into JSON. */
export interface KeyPair {
  /** The public key as 0x-hex: the address of its account. */
  readonly address: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Signs bytes: 64 bytes of signature. */
  sign(bytes: Uint8Array): Uint8Array
  /** The 32 secret bytes that the pair can be made of again. Whoever has them has the account. */
  exportSeed(): Uint8Array
}

/** A new key pair, from the platform's secure randomness. */
export function generateKeyPair(): KeyPair {
  return keyPairFromSeed(nacl.randomBytes(32))
}

/**
 * The key pair of a seed.
 * @param seed 32 secret bytes, or their hex
 * @throws ClientError BAD_KEY if it is anything else.
 */
export function keyPairFromSeed(seed: Uint8Array | string): KeyPair {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seedBytes(seed))
  return Object.freeze({
    address: toHex(publicKey),
    publicKey,
    sign: (bytes: Uint8Array) => nacl.sign.detached(bytes, secretKey),
    exportSeed: () => secretKey.slice(0, 32),
  })
}

function seedBytes(seed: Uint8Array | string): Uint8Array {
  try {
    const bytes = typeof seed === 'string' ? fromHex(seed.trim()) : seed
    if (bytes.length === 32) return bytes
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
  }
  // What was given may be most of a secret: it is not repeated here.
  throw new ClientError('BAD_KEY', 'a seed is 32 bytes, or 64 hex digits')
}
