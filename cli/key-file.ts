import { readFile, stat } from 'node:fs/promises'
import { type KeyPair, keyPairFromSeed } from '../client/index.ts'
import { CommandError } from '../server/cli/command-error.ts'
import { readWallet } from './wallet-file.ts'

/** The key pair of an operator's key file, which is 64 hex digits, or of a wallet file. Throws CommandError. */
export async function readKeyFile(file: string): Promise<KeyPair> {
  const [text, { mode }] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new CommandError(
      'KEY_UNREADABLE',
      `cannot read the key file ${file} (${code}); name the operator.key of the network (\`deaios start\` prints where it is), or a wallet file, with --key-file`,
      error,
    )
  })
  if (!/^[0-9a-f]{64}\s*$/.test(text)) return readWallet(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new CommandError('KEY_EXPOSED', `others can read ${file}; close it with: chmod 600 ${file}`)
  return keyPairFromSeed(`0x${text.trim()}`)
}
