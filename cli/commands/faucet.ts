import type { Command } from 'commander'
import type { Streams } from '../../server/cli/output.ts'
import { addressOf } from '../address.ts'
import { formatDea } from '../amount.ts'
import { asking } from '../connection.ts'
import { lines } from '../table.ts'
import { refuseFailed } from '../transaction-text.ts'

/** `deaios faucet` */
export function addFaucet(program: Command, streams: Streams): void {
  asking(
    program
      .command('faucet')
      .description('let the faucet of a development network pay an address; ends when the coins are there')
      .argument('<address>', '0x and 64 hex digits, or a wallet file'),
    streams,
    async (connect, command) => {
      const [argument] = command.processedArgs as [string]
      const address = await addressOf(argument)
      const client = connect()
      const { id } = await client.faucet(address)
      const info = await client.waitFor(id)
      refuseFailed(info)
      const balance = (await client.account(address))?.balance ?? 0n
      return {
        json: { id, status: info.status, address, balance },
        text: lines([
          ['paid', address],
          ['balance', `${formatDea(balance)} (${balance} units)`],
          ['transaction', id],
        ]),
      }
    },
  )
}
