import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { describeError } from '../server/cli/command-error.ts'
import type { Streams } from '../server/cli/output.ts'
import { BenchError, type Benchmark, type BenchOptions } from './benchmark.ts'
import { type Figure, toJsonLine, toTable } from './figure.ts'
import { measure } from './measure.ts'
import { benchmarks, findBenchmarks } from './registry.ts'

interface Flags {
  readonly json?: boolean
  readonly list?: boolean
  readonly seconds?: number
  readonly cells?: number
  readonly data?: string
}

/**
 * Runs one command line.
 *
 * @param words the arguments, without node and the script
 * @returns the exit code: 0 measured (targets met or not), 1 if something could not be measured, 2 wrong usage
 */
export async function runBench(words: readonly string[], streams: Streams): Promise<0 | 1 | 2> {
  let code: 0 | 1 = 0
  const program = benchCommand(streams).action(async (name: string | undefined, flags: Flags) => {
    if (flags.list === true) streams.out.write(list())
    else if (name === undefined) program.error('error: say what to measure; --list shows what there is')
    else code = await measureAll(wanted(name, program), flags, streams)
  })
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    streams.err.write(`${describeError(error)}\n`)
    return 1
  }
}

function benchCommand(streams: Streams): Command {
  return new Command('bench')
    .description('Measures what this machine makes of deaios, and against what. Needs a quiet machine.')
    .argument('[name]', 'all, a layer (execution), or one benchmark (execution.transfers)')
    .option('--json', 'one JSON object a figure and line, and nothing else on stdout')
    .option('--list', 'what can be measured')
    .option('--seconds <number>', 'length of each timed part', positive)
    .option('--cells <number>', 'size of the larger state of execution.cells (default: 10 million)', positive)
    .option('--data <folder>', 'a folder on the disk to be measured (default: the system folder for temporary files)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    })
}

function positive(text: string): number {
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

function list(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length))
  return benchmarks.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`).join('')
}

function wanted(name: string, program: Command): readonly Benchmark[] {
  try {
    return findBenchmarks(name)
  } catch (error) {
    if (error instanceof BenchError) program.error(`error: ${error.message}`)
    throw error
  }
}

async function measureAll(chosen: readonly Benchmark[], flags: Flags, streams: Streams): Promise<0 | 1> {
  const figures: Figure[] = []
  const { json, seconds, cells, data } = flags
  const options: BenchOptions = {
    ...(seconds === undefined ? {} : { seconds }),
    ...(cells === undefined ? {} : { cells: Math.round(cells) }),
  }
  const failed = await measure(chosen, {
    options,
    data,
    say: (text) => streams.err.write(`${text}\n`),
    onFigure: (found) => {
      figures.push(found)
      if (json === true) streams.out.write(toJsonLine(found))
    },
  })
  if (json !== true && figures.length > 0) streams.out.write(toTable(figures))
  return failed ? 1 : 0
}
