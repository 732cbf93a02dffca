import { hash, randomBytes } from 'node:crypto'

const PREFIX = 'dk_'
const ID_DIGITS = 16
const SECRET_DIGITS = 64
const LENGTH = PREFIX.length + ID_DIGITS + 1 + SECRET_DIGITS

/** A new key: shown once, as `token`; only `hash` is kept. */
export interface NewKey {
  /** Names the key; not secret. */
  readonly id: string
  /** `dk_<id>_<secret>`; the secret is 256 random bits. */
  readonly token: string
  /** 32 bytes. */
  readonly hash: Uint8Array
}

/** Makes a key from the system's randomness. */
export function newKey(): NewKey {
  const id = randomBytes(ID_DIGITS / 2).toString('hex')
  const token = `${PREFIX}${id}_${randomBytes(SECRET_DIGITS / 2).toString('hex')}`
  return { id, token, hash: hashOf(token) }
}

/** Whether this is an id of a key, in form. */
export const isKeyId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text)

/** Whether a bearer's token claims to be an API key. */
export const isApiKey = (token: string): boolean => token.startsWith(PREFIX)

/** The id in a key, or undefined if it does not look like one. The secret is not checked. */
export function idOf(token: string): string | undefined {
  if (token.length !== LENGTH || !token.startsWith(PREFIX) || token[PREFIX.length + ID_DIGITS] !== '_') return undefined
  return token.slice(PREFIX.length, PREFIX.length + ID_DIGITS)
}

/**
 * What is kept of a key. One round of SHA-256 is enough: nobody can try out 2^256 secrets, which is what slow hashes of
 * passwords are for.
 */
const hashOf = (token: string): Uint8Array => hash('sha256', token, 'buffer')

/** A hash in the form that `matches` takes: one character a byte. */
export const hashText = (hashed: Uint8Array): string => Buffer.from(hashed).toString('latin1')

/**
 * Whether a key is the one that was hashed; takes as long for any wrong one. As text, which node:crypto gives three times
 * as fast as bytes: this runs at each request.
 * @param hashed as `hashText` gives it
 */
export function matches(token: string, hashed: string): boolean {
  const actual = hash('sha256', token, 'binary')
  let difference = actual.length ^ hashed.length
  for (let at = 0; at < actual.length; at++) difference |= actual.charCodeAt(at) ^ hashed.charCodeAt(at)
  return difference === 0
}
