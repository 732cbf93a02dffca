import { readFile, stat, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { type KeyPair, keyPairFromSeed } from '../client/index.ts'
import { toHex } from '../protocol/index.ts'
import { CommandError } from '../server/cli/command-error.ts'

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/)

/** What a wallet file holds: JSON of one key pair. Whoever can read it can spend. */
const WalletFile = z.strictObject({
  deaios: z.literal('wallet'),
  version: z.literal(1),
  address: hex32,
  secret: hex32,
})

/** Writes a new wallet file that only its owner can read; never over another file. Throws CommandError. */
export async function writeWallet(file: string, keys: KeyPair): Promise<void> {
  const wallet: z.output<typeof WalletFile> = {
    deaios: 'wallet',
    version: 1,
    address: keys.address,
    secret: toHex(keys.exportSeed()),
  }
  try {
    await writeFile(file, `${JSON.stringify(wallet, null, 2)}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const code = codeOf(error)
    throw code === 'EEXIST'
      ? new CommandError('WALLET_EXISTS', `${file} exists and may hold a key with coins; name another file with --out`)
      : new CommandError('WALLET_UNWRITABLE', `cannot write ${file} (${code}); name another file with --out`, error)
  }
}

/** The key pair of a wallet file. Throws CommandError. */
export async function readWallet(file: string): Promise<KeyPair> {
  const [text, { mode }] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch((error: unknown) => {
    throw new CommandError(
      'WALLET_UNREADABLE',
      `cannot read the wallet ${file} (${codeOf(error)}); make one with: deaios wallet new --out ${file}`,
      error,
    )
  })
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new CommandError('WALLET_EXPOSED', `others can read ${file}; close it with: chmod 600 ${file}`)
  }
  const wallet = WalletFile.safeParse(parseJson(text))
  // Its content may be most of a secret: it is not repeated here.
  if (!wallet.success) throw new CommandError('WALLET_INVALID', `${file} is not a wallet file`)
  const keys = keyPairFromSeed(wallet.data.secret)
  if (keys.address !== wallet.data.address) {
    throw new CommandError('WALLET_INVALID', `the secret in ${file} is not that of its address; restore it from a copy`)
  }
  return keys
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
