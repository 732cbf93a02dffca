import { Command, CommanderError } from 'commander'
import { clientCommands } from '../../cli/index.ts'
import { SERVER_VERSION } from '../version.ts'
import { describeError } from './command-error.ts'
import { addKey, addKeystore } from './identity/index.ts'
import type { Streams } from './output.ts'
import { addPlugin } from './plugin/index.ts'
import { addStart } from './start.ts'

/** Adds a group of commands. Each group has a file of its own, and loads what it needs when a command runs. */
export type CommandGroup = (program: Command, streams: Streams) => void

const GROUPS: readonly CommandGroup[] = [addStart, addKey, addKeystore, addPlugin, ...clientCommands]

/** The whole command line, to be run or to be looked at. */
export function deaiosCommand(streams: Streams): Command {
  const program = new Command('deaios')
    .description('A decentralized AI operating system: one protocol server, spoken to in GraphQL.')
    .version(SERVER_VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    })
  for (const add of GROUPS) add(program, streams)
  return program
}

/**
 * Runs one command line.
 *
 * @param words the arguments, without node and the script
 * @returns the exit code: 0 done, 1 refused (`CODE: message` on stderr), 2 wrong usage
 */
export async function runProgram(words: readonly string[], streams: Streams): Promise<0 | 1 | 2> {
  try {
    await deaiosCommand(streams).parseAsync(words, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    streams.err.write(`${describeError(error)}\n`)
    return 1
  }
}
