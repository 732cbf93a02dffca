import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../db/errors.ts'
import { KeystoreError } from './errors.ts'

/** A key that accounts' secrets are sealed under. */
export interface MasterKey {
  /** Names the key beside what it sealed; not secret. */
  readonly id: string
  /** 32 bytes. */
  readonly bytes: Uint8Array
}

/** Where master keys come from. The first one seals; the others only open what they sealed before. */
export interface MasterKeySource {
  /** For people. */
  readonly where: string
  /** All keys, as they are there now. Never empty. @throws KeystoreError */
  read(): readonly MasterKey[]
  /** Puts these keys in the place of all others, durably. @throws KeystoreError where that is for the operator to do */
  write(keys: readonly MasterKey[]): void
}

/** A new key from the system's randomness. */
export const newMasterKey = (): MasterKey => masterKey(randomBytes(32))

/**
 * Keys in a file that only its owner may read: one a line, 64 hex digits. The file is made, with a new key, when it is
 * first asked for.
 */
export function masterKeyFile(path: string): MasterKeySource {
  const read = (): readonly MasterKey[] => {
    const text = readText(path)
    if (text !== undefined) return parseKeys(text, path)
    const keys = [newMasterKey()]
    try {
      writeKeys(path, keys, 'wx')
    } catch (error) {
      // Another process was first.
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return read()
      throw error
    }
    return keys
  }
  return {
    where: path,
    read,
    write(keys) {
      const draft = `${path}.new`
      writeKeys(draft, keys, 'w')
      renameSync(draft, path)
      syncFolder(dirname(path))
    },
  }
}

/**
 * Keys that the operator gives, separated by commas or white space.
 * @param where what to call the place in messages, like `DEAIOS_KEYSTORE_KEY`
 */
export function givenMasterKeys(text: string, where: string): MasterKeySource {
  const keys = parseKeys(text, where)
  return {
    where,
    read: () => keys,
    write() {
      throw new KeystoreError('KEYSTORE_KEY_BAD', `the keys come from ${where}, which only you can change`)
    },
  }
}

function masterKey(bytes: Uint8Array): MasterKey {
  const digest = createHash('sha256').update('deaios/keystore-key/1\0').update(bytes)
  return { id: digest.digest('hex').slice(0, 16), bytes }
}

function parseKeys(text: string, where: string): readonly MasterKey[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  // What was given may be most of a secret: it is not repeated here.
  if (words.length === 0 || words.length > 16 || words.some((word) => !/^[0-9a-f]{64}$/i.test(word)))
    throw new KeystoreError(
      'KEYSTORE_KEY_BAD',
      `${where} must hold one or more keys of 64 hex digits, and nothing else`,
    )
  return words.map((word) => masterKey(Buffer.from(word, 'hex')))
}

function readText(path: string): string | undefined {
  try {
    // Group and others; a file that the group reads is how containers are given secrets, so only `others` is refused.
    if ((statSync(path).mode & 0o007) !== 0)
      throw new KeystoreError('KEYSTORE_KEY_BAD', `everybody can read ${path}; make it private: chmod 600 ${path}`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof KeystoreError) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new KeystoreError('KEYSTORE_KEY_BAD', `cannot read ${path}: ${messageOf(error)}`, error)
  }
}

/** On disk before it returns: what is sealed under a key that is lost is lost. */
function writeKeys(path: string, keys: readonly MasterKey[], flags: 'w' | 'wx'): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const file = openSync(path, flags, 0o600)
  try {
    writeSync(file, keys.map(({ bytes }) => `${Buffer.from(bytes).toString('hex')}\n`).join(''))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
