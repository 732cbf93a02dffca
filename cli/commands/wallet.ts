import type { Command } from 'commander'
import { answering, type Streams } from '../../server/cli/output.ts'
import { DEFAULT_WALLET } from '../default-wallet.ts'

/** `deaios wallet new` and `deaios wallet show` */
export function addWallet(program: Command, streams: Streams): void {
  const wallet = program.command('wallet').description('key pairs in files')
  answering(
    wallet
      .command('new')
      .description('make a key pair and keep it in a file that only you can read')
      .option('--out <file>', 'the new file', DEFAULT_WALLET)
      .option('--shard <id>', 'try keys until one lives in this shard, like 0:1')
      .option('--show-secret', 'print the secret too'),
    streams,
    async (command) => (await import('../wallet-commands.ts')).newWallet(command),
  )
  answering(
    wallet
      .command('show')
      .description('print the address of a wallet')
      .argument('[file]', 'the wallet', DEFAULT_WALLET)
      .option('--show-secret', 'print the secret too'),
    streams,
    async (command) => (await import('../wallet-commands.ts')).showWallet(command),
  )
}
