import { existsSync } from 'node:fs'
import { CommandError } from '../server/cli/command-error.ts'

const ADDRESS = /^0x[0-9a-fA-F]{64}$/

/** What an argument `ADDRESS` means: 0x and 64 hex digits, or a wallet file whose address is meant. */
export async function addressOf(text: string): Promise<string> {
  if (ADDRESS.test(text)) return text.toLowerCase()
  if (text.startsWith('0x') || !existsSync(text)) {
    throw new CommandError(
      'BAD_ADDRESS',
      `"${text}" is neither an address (0x and 64 hex digits) nor a wallet file that is there`,
    )
  }
  const { readWallet } = await import('./wallet-file.ts')
  return (await readWallet(text)).address
}
