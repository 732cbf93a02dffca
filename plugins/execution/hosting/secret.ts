import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const MIN_LENGTH = 32

/** The secret between nodes and a shard host cannot be read, or is none. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
  readonly code = 'SECRET_FILE'
}

/** Reads a secret; a line break at its end is none of it. @throws SecretFileError */
export async function readSecret(file: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SecretFileError(`cannot read the secret of a shard host: ${why}`, { cause: error })
  }
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
