/** The part of sodium-native that the project uses; the package ships no types of its own. */
declare module 'sodium-native' {
  interface SodiumNative {
    /** SHA-256 of `input` into the 32 bytes of `output`. */
    crypto_hash_sha256(output: Uint8Array, input: Uint8Array): void
    /** True if `signature` (64 bytes) over `message` was made by the ed25519 key `publicKey` (32 bytes). */
    crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
    /** Signs `message` with a 64-byte ed25519 secret key into the 64 bytes of `signature`. */
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
    /** Derives a key pair from a 32-byte seed into `publicKey` (32 bytes) and `secretKey` (64 bytes). */
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
    /** Fills `output` with random bytes. */
    randombytes_buf(output: Uint8Array): void
    /** Overwrites a secret with zeros, for certain. */
    sodium_memzero(secret: Uint8Array): void
    /** Length of a nonce: 24. */
    readonly crypto_aead_xchacha20poly1305_ietf_NPUBBYTES: number
    /** Length of the tag at the end of a box: 16. */
    readonly crypto_aead_xchacha20poly1305_ietf_ABYTES: number
    /** Encrypts `message` into `box` (16 bytes longer), bound to `bound`; `key` has 32 bytes. `none` is null. */
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      box: Uint8Array,
      message: Uint8Array,
      bound: Uint8Array,
      none: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void
    /** Decrypts `box` into `message`; throws if anything differs from when it was encrypted. */
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      message: Uint8Array,
      none: null,
      box: Uint8Array,
      bound: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void
  }
  const sodium: SodiumNative
  export default sodium
}
