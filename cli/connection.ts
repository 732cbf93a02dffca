import { type Command, Option } from 'commander'
import type { Client, KeyPair } from '../client/index.ts'
import { CommandError } from '../server/cli/command-error.ts'
import { type Answer, answering, type Streams } from '../server/cli/output.ts'

/** Where a node listens if nothing else is said. */
const DEFAULT_URL = 'http://localhost:4000/graphql'

/** Gives a client of the node that `--url` names; it signs if it is given a key. */
export type Connect = (key?: KeyPair) => Client

/** Makes `run` the action of a command that speaks to a node, with `--url` and `--json`. */
export function asking(
  command: Command,
  streams: Streams,
  run: (connect: Connect, command: Command) => Promise<Answer>,
): Command {
  command.addOption(new Option('--url <url>', 'the GraphQL endpoint of a node').env('DEAIOS_URL').default(DEFAULT_URL))
  command.addOption(
    new Option('--api-key <key>', 'an API key, dk_...; better by DEAIOS_API_KEY than on the command line').env(
      'DEAIOS_API_KEY',
    ),
  )
  return answering(command, streams, async () => {
    // Loaded only here: the other commands start faster without it.
    const { ClientError, createClient } = await import('../client/index.ts')
    const { url, apiKey } = command.opts<{ url: string; apiKey?: string }>()
    const clients: Client[] = []
    const connect: Connect = (key) => {
      const client = createClient({ url, ...(key && { key }), ...(apiKey && { apiKey }) })
      clients.push(client)
      return client
    }
    try {
      return await run(connect, command)
    } catch (error) {
      if (error instanceof ClientError && error.reason !== undefined) throw underItsReason(error, error.reason)
      throw error
    } finally {
      await Promise.all(clients.map((client) => client.close()))
    }
  })
}

/** Ends a command that was used in a wrong way: exit code 2. */
export function wrongUsage(command: Command, message: string): never {
  return command.error(`error: ${message}`, { code: 'deaios.wrongUsage', exitCode: 2 })
}

/** What the server said, under the code that it said it with. */
function underItsReason(error: Error, reason: string): CommandError {
  const { message } = error
  return new CommandError(reason, message.startsWith(`${reason}: `) ? message.slice(reason.length + 2) : message, error)
}
