import type { Command } from 'commander'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { addressOf } from '../address.ts'
import { formatDea } from '../amount.ts'
import { asking, wrongUsage } from '../connection.ts'
import { parseRealm } from '../numbers.ts'
import { lines } from '../table.ts'

interface Options {
  readonly wallet?: string
  readonly realm: number
}

/** `deaios account` */
export function addAccount(program: Command, streams: Streams): void {
  asking(
    program
      .command('account')
      .description('print the balance and the nonces of an account')
      .argument('[address]', '0x and 64 hex digits, or a wallet file')
      .option('--wallet <file>', 'the account of this wallet')
      .option('--realm <number>', 'the realm to look in', parseRealm, 0),
    streams,
    async (connect, command) => {
      const { wallet, realm } = command.opts<Options>()
      const [argument] = command.processedArgs as [string?]
      const named = argument ?? wallet
      if (named === undefined || (argument !== undefined && wallet !== undefined)) {
        return wrongUsage(command, 'name one account: its address, or --wallet FILE')
      }
      const account = await connect().account(await addressOf(named), { realm })
      if (account === undefined) throw new CommandError('REALM_UNKNOWN', `there is no realm ${realm}`)
      const lanes = [...account.lanes].map(([lane, nextNonce]) => ({ lane, nextNonce }))
      const { address, balance, shard } = account
      return {
        json: { address, realm, balance, shard, lanes },
        text: lines([
          ['address', address],
          ['balance', `${formatDea(balance)} (${balance} units)`],
          ['shard', shard],
          ['sent', lanes.map(({ lane, nextNonce }) => `${nextNonce} in lane ${lane}`).join(', ') || 'nothing'],
        ]),
      }
    },
  )
}
