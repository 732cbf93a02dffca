import { type Command, InvalidArgumentError } from 'commander'
import type { Client, TransactionInfo } from '../../client/index.ts'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { asking } from '../connection.ts'
import { transactionText } from '../transaction-text.ts'

/** `deaios tx` */
export function addTx(program: Command, streams: Streams): void {
  asking(
    program
      .command('tx')
      .description('print how far a transaction got')
      .argument('<id>', '0x and 64 hex digits', parseId)
      .option('--watch', 'print each change until it is final'),
    streams,
    async (connect, command) => {
      const [id] = command.processedArgs as [string]
      const { watch, json } = command.opts<{ watch?: true; json?: true }>()
      const client = connect()
      if (watch) await follow(client, id, (status) => json || streams.out.write(`${status}\n`))
      const info = await read(client, id)
      return { json: info, text: transactionText(info) }
    },
  )
}

/** Tells each status of the transaction, until it is final. */
async function follow(client: Client, id: string, tell: (status: string) => void): Promise<void> {
  const { document } = await import('../../client/index.ts')
  const states = document<{ readonly transaction: { readonly status: string } }, { readonly id: string }>(
    'subscription ($id: Bytes!) { transaction(id: $id) { status } }',
  )
  for await (const { transaction } of client.subscribe(states, { id })) tell(transaction.status)
}

async function read(client: Client, id: string): Promise<TransactionInfo> {
  const info = await client.transaction(id)
  if (info !== undefined) return info
  throw new CommandError('TRANSACTION_UNKNOWN', `the node does not know ${id}; submit it (again)`)
}

function parseId(text: string): string {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError('An id is 0x and 64 hex digits.')
}
