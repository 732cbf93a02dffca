import { type Command, InvalidArgumentError } from 'commander'
import type { Streams } from '../../server/cli/output.ts'
import { addressOf } from '../address.ts'
import { parseDea, parseUnits } from '../amount.ts'
import { asking, wrongUsage } from '../connection.ts'
import { DEFAULT_WALLET } from '../default-wallet.ts'
import { parseLane } from '../numbers.ts'
import { refuseFailed, transactionText } from '../transaction-text.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly amount: string
  readonly units?: true
  readonly lane: number
  readonly wait?: true
}

/** `deaios transfer` */
export function addTransfer(program: Command, streams: Streams): void {
  asking(
    program
      .command('transfer')
      .description('pay from a wallet; ends when the transaction is durable')
      .option('--from <wallet>', 'the wallet file that pays', DEFAULT_WALLET)
      .requiredOption('--to <address>', '0x and 64 hex digits, or a wallet file')
      .requiredOption('--amount <number>', 'in DEA, like 1.5')
      .option('--units', 'the amount is in units: 1 DEA is 1000000000')
      .option('--lane <number>', 'parallel programs of one account take a lane each', parseLane, 0)
      .option('--wait', 'end when it arrived, in whatever shard'),
    streams,
    async (connect, command) => {
      const { from, to, units, lane, wait, ...options } = command.opts<Options>()
      const value = amountOf(command, options.amount, units)
      const { readWallet } = await import('../wallet-file.ts')
      const [keys, receiver] = await Promise.all([readWallet(from), addressOf(to)])
      const until = wait === undefined ? 'INCLUDED' : 'EXECUTED'
      const info = await connect(keys).transfer(receiver, value, { until, lane })
      refuseFailed(info)
      return { json: { ...info, from: keys.address, to: receiver, value }, text: transactionText(info) }
    },
  )
}

function amountOf(command: Command, text: string, units: true | undefined): bigint {
  try {
    return units === undefined ? parseDea(text) : parseUnits(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) return wrongUsage(command, `--amount ${text}: ${error.message}`)
    throw error
  }
}
