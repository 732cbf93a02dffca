import type { Command } from 'commander'
import type { Streams } from './output.ts'
import { parsePort } from './parse.ts'

interface StartOptions {
  readonly port?: number
  readonly data?: string
  readonly host?: string
  readonly config?: string
}

/** `deaios start` */
export function addStart(program: Command, streams: Streams): void {
  program
    .command('start')
    .description('run a node until Ctrl-C')
    .option('--port <number>', 'where GraphQL listens (DEAIOS_PORT; default 4000)', parsePort)
    .option('--data <folder>', 'where everything is kept (DEAIOS_DATA; default .deaios)')
    .option('--host <address>', 'the address to listen on (default 127.0.0.1)')
    .option('--config <file>', 'the config file (default deaios.config.ts)')
    .action(async (options: StartOptions) => {
      // Loaded only here: the other commands start faster without the server. The watch must come before GraphQL.
      const { watchCopies } = await import('../host/copies.ts')
      const copies = watchCopies()
      const { runNode } = await import('./run-node.ts')
      await runNode(options, streams, copies)
    })
}
