import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Streams } from '../../server/cli/output.ts'
import { parsePort } from '../../server/cli/parse.ts'

/** Where it listens. */
export interface Listening {
  readonly hostname: string
  readonly port: number
}

export interface ShardHostFlags {
  readonly listen: Listening
  readonly data: string
  readonly database?: string
  readonly databaseFile?: string
  readonly secretFile?: string
  readonly config?: string
}

/** `deaios shard-host`: runs shards for a node elsewhere, on a database of its own. */
export function addShardHost(program: Command, streams: Streams): void {
  program
    .command('shard-host')
    .description('run shards for the node that makes the blocks, on a database of their own, until Ctrl-C')
    .addOption(
      new Option('--listen <host:port>', 'where nodes reach it')
        .argParser(listening)
        .default({ hostname: '127.0.0.1', port: 4100 }, '127.0.0.1:4100'),
    )
    .option('--data <folder>', 'where everything is kept', '.deaios-shard-host')
    .option('--database <url>', 'a PostgreSQL to use instead of the embedded one (not the node’s)')
    .option('--database-file <file>', 'a file with such a URL: others can read a password on a command line')
    .option('--secret-file <file>', 'what nodes must show; made if absent (default <data>/shard-host.secret)')
    .option('--config <file>', 'the config file, for its ledger modules (default deaios.config.ts)')
    .action(async (flags: ShardHostFlags) => {
      // Loaded only here: the other commands start faster without it.
      const { runShardHost } = await import('./run-shard-host.ts')
      await runShardHost(flags, streams)
    })
}

function listening(text: string): Listening {
  const [, bare, bracketed, port] = /^(?:([^:[\]]+)|\[([0-9a-fA-F:]+)\]):(\d+)$/.exec(text) ?? []
  const hostname = bare ?? bracketed
  if (hostname === undefined || port === undefined)
    throw new InvalidArgumentError('It must be like 127.0.0.1:4100 or [::1]:4100.')
  return { hostname, port: parsePort(port) }
}
