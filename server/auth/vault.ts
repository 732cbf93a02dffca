import sodium from 'sodium-native'
import { KeystoreError } from './errors.ts'
import type { MasterKey, MasterKeySource } from './master-keys.ts'

const NONCE = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
const TAG = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES
const SEED = 32
const BINDING = Buffer.from('deaios/keystore/1\0')

/** A secret as it is stored. */
export interface Sealed {
  readonly sealed: Uint8Array
  /** The id of the master key. */
  readonly under: string
}

/**
 * Seals accounts' secrets, and opens them for as long as it takes to use them. Secrets never leave this file except by
 * `reveal`.
 */
export class Vault {
  readonly #source: MasterKeySource
  #keys: readonly MasterKey[] | undefined

  constructor(source: MasterKeySource) {
    this.#source = source
  }

  /** For people. */
  get where(): string {
    return this.#source.where
  }

  /** The key that seals now. Read when it is first needed: a node without custodial accounts has none. */
  get current(): MasterKey {
    this.#keys ??= this.#source.read()
    const [first] = this.#keys
    if (first === undefined) throw new KeystoreError('KEYSTORE_KEY_BAD', `${this.where} holds no key`)
    return first
  }

  /** Which of these master keys are not there. */
  missing(ids: readonly string[]): readonly string[] {
    if (ids.length === 0) return []
    this.refresh()
    return ids.filter((id) => !this.#keys?.some((key) => key.id === id))
  }

  /** Reads the keys again. */
  refresh(): void {
    this.#keys = this.#source.read()
  }

  /** @param seed 32 secret bytes. @param address the public key of the seed: the seal opens for no other */
  seal(seed: Uint8Array, address: Uint8Array, key: MasterKey = this.current): Sealed {
    const sealed = Buffer.alloc(NONCE + SEED + TAG)
    const nonce = sealed.subarray(0, NONCE)
    sodium.randombytes_buf(nonce)
    const box = sealed.subarray(NONCE)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(box, buffer(seed), bound(address), null, nonce, buffer(key.bytes))
    return { sealed, under: key.id }
  }

  /** Signs with a sealed secret. @returns 64 bytes. @throws KeystoreError */
  sign(message: Uint8Array, address: Uint8Array, sealed: Sealed): Uint8Array {
    return this.#opened(address, sealed, (seed) => {
      const secretKey = Buffer.alloc(64)
      try {
        sodium.crypto_sign_seed_keypair(Buffer.alloc(32), secretKey, seed)
        const signature = Buffer.alloc(64)
        sodium.crypto_sign_detached(signature, message, secretKey)
        return signature
      } finally {
        sodium.sodium_memzero(secretKey)
      }
    })
  }

  /** Gives a secret out, as 0x-hex. @throws KeystoreError */
  reveal(address: Uint8Array, sealed: Sealed): string {
    return this.#opened(address, sealed, (seed) => `0x${seed.toString('hex')}`)
  }

  /** The same secret under another key. @throws KeystoreError */
  reseal(address: Uint8Array, sealed: Sealed, key: MasterKey): Sealed {
    return this.#opened(address, sealed, (seed) => this.seal(seed, address, key))
  }

  #opened<T>(address: Uint8Array, { sealed, under }: Sealed, use: (seed: Buffer) => T): T {
    const key = this.#key(under)
    const seed = Buffer.alloc(SEED)
    try {
      const stored = buffer(sealed)
      open(seed, stored.subarray(NONCE), address, stored.subarray(0, NONCE), key)
      return use(seed)
    } finally {
      sodium.sodium_memzero(seed)
    }
  }

  #key(id: string): MasterKey {
    const known = this.#keys?.find((key) => key.id === id)
    if (known !== undefined) return known
    // It may have been rotated since it was read.
    this.#keys = this.#source.read()
    const found = this.#keys.find((key) => key.id === id)
    if (found !== undefined) return found
    throw new KeystoreError(
      'KEYSTORE_KEY_MISSING',
      `an account's secret is sealed under the master key ${id}, which is not in ${this.where}; add that key there`,
    )
  }
}

function open(seed: Buffer, box: Buffer, address: Uint8Array, nonce: Buffer, key: MasterKey): void {
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(seed, null, box, bound(address), nonce, buffer(key.bytes))
  } catch (error) {
    throw new KeystoreError(
      'KEYSTORE_DAMAGED',
      `the stored secret of 0x${buffer(address).toString('hex')} is not what was sealed: it was changed or swapped; restore it`,
      error,
    )
  }
}

/** What a seal is bound to, so that whoever can write the table cannot have one account's secret used as another's. */
const bound = (address: Uint8Array): Buffer => Buffer.concat([BINDING, address])

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
