import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keyFromSeed, type SigningKey } from '../../server/crypto/ed25519.ts'

/** The operator's key file is there but cannot be used. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
  readonly code = 'KEY_FILE'
}

/** The node's own key: it signs root blocks and calls the faucet. */
export interface OperatorKey {
  readonly key: SigningKey
  /** 32 bytes that everything secret of the node is derived from. */
  readonly seed: Uint8Array
}

/**
 * Reads the operator's key, or makes one at the first start: 64 hex digits of seed in a file that only its owner reads.
 * @throws KeyFileError if the file holds something else.
 */
export async function operatorKey(path: string): Promise<OperatorKey> {
  const seed = (await readSeed(path)) ?? (await createSeed(path))
  return { key: keyFromSeed(seed), seed }
}

/** Reads the operator's key; undefined if there is no such file. @throws KeyFileError if it holds something else. */
export async function readOperatorKey(path: string): Promise<OperatorKey | undefined> {
  const seed = await readSeed(path)
  return seed && { key: keyFromSeed(seed), seed }
}

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new KeyFileError(`the operator key ${path} cannot be read; give this user access to it`, { cause: error })
  }
  if (/^[0-9a-f]{64}\s*$/.test(text)) return Buffer.from(text.trim(), 'hex')
  throw new KeyFileError(`${path} is no operator key (64 hex digits); put the right file there, or move this one away`)
}

async function createSeed(path: string): Promise<Uint8Array> {
  const seed = randomBytes(32)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // A key that is lost after its genesis was stored would be lost for good: it is on disk before anything else.
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${seed.toString('hex')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return seed
}
