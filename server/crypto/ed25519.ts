import sodium from 'sodium-native'

/** An ed25519 key pair: 32 bytes public, 64 bytes secret (libsodium's form: seed and public key). */
export interface SigningKey {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** The key pair of a 32-byte seed. */
export function keyFromSeed(seed: Uint8Array): SigningKey {
  const publicKey = Buffer.alloc(32)
  const secretKey = Buffer.alloc(64)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(seed))
  return { publicKey, secretKey }
}

/** Signs; the signature has 64 bytes. */
export function sign(message: Uint8Array, key: SigningKey): Uint8Array {
  const signature = Buffer.alloc(64)
  sodium.crypto_sign_detached(signature, message, key.secretKey)
  return signature
}

/**
 * True if the signature is one of the key over the message, by libsodium's rules: these alone decide what is valid on
 * the network (no S >= L, no key of small order). About 50 us.
 */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
