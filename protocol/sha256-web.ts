import { sha256 as digest } from '@noble/hashes/sha2.js'

/** SHA-256 of any number of bytes: a fresh 32-byte array that shares memory with nothing. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return digest(bytes)
}

/** SHA-256 of `bytes` into the 32 bytes of `output`, which may be part of `bytes`: for hot loops. */
export function sha256Into(output: Uint8Array, bytes: Uint8Array): void {
  output.set(digest(bytes))
}

/** Hashes a whole Merkle layer: each 64 bytes of `nodes` become 32 bytes of the result, in order. */
export function sha256Layer(nodes: Uint8Array): Uint8Array {
  const parents = new Uint8Array(nodes.length / 2)
  for (let at = 0; at < parents.length; at += 32) {
    parents.set(digest(nodes.subarray(2 * at, 2 * at + 64)), at)
  }
  return parents
}
