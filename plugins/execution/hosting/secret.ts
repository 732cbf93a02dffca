import { randomBytes } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const MIN_LENGTH = 32

/** The secret between nodes and a shard host cannot be read, is none, or is none any more since others can read it. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
  readonly code = 'SECRET_FILE'
}

/** Reads a secret from a file that only its owner can read; a line break at its end is none of it. @throws SecretFileError */
export async function readSecret(file: string): Promise<string> {
  let text: string
  let mode: number
  try {
    text = (await readFile(file, 'utf8')).trim()
    mode = (await stat(file)).mode
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SecretFileError(`cannot read the secret of a shard host: ${why}`, { cause: error })
  }
  // Windows has no such modes.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new SecretFileError(`others can read ${file}; close it with: chmod 600 ${file}`)
  if (text.length >= MIN_LENGTH && /^[\x21-\x7e]+$/.test(text)) return text
  throw new SecretFileError(
    `${file} must hold at least ${MIN_LENGTH} characters without blanks: let \`deaios shard-host\` make one`,
  )
}

/** Reads a secret; makes the file, which only its owner can read, if there is none. @throws SecretFileError */
export async function secretIn(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  try {
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readSecret(file)
}
