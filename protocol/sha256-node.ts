// biome-ignore lint/style/noRestrictedImports: the `node` half of #sha256; browsers get sha256-web.ts
import { hash } from 'node:crypto'
import { hashInto } from '@chainsafe/hashtree'
import sodium from 'sodium-native'

// Below this libsodium's plain C is ahead (no hash object is made); above it OpenSSL's SHA instructions win.
const SHORT = 200
const scratch = new Uint8Array(32)

/** SHA-256 of any number of bytes: a fresh 32-byte array that shares memory with nothing. */
export function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length < SHORT) {
    sodium.crypto_hash_sha256(scratch, bytes)
    return scratch.slice()
  }
  const digest = hash('sha256', bytes, 'buffer')
  return new Uint8Array(digest.buffer, digest.byteOffset, 32)
}

/** SHA-256 of `bytes` into the 32 bytes of `output`, which may be part of `bytes`: for hot loops, it allocates nothing. */
export function sha256Into(output: Uint8Array, bytes: Uint8Array): void {
  if (bytes.length < SHORT) sodium.crypto_hash_sha256(output, bytes)
  else output.set(hash('sha256', bytes, 'buffer'))
}

/** Hashes a whole Merkle layer: each 64 bytes of `nodes` become 32 bytes of the result, in order. */
export function sha256Layer(nodes: Uint8Array): Uint8Array {
  const parents = new Uint8Array(nodes.length / 2)
  if (nodes.length > 0) hashInto(nodes, parents)
  return parents
}
