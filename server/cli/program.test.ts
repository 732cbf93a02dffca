import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { describeError } from './command-error.ts'
import { answering } from './output.ts'
import { deaiosCommand, runProgram } from './program.ts'

async function run(...words: string[]) {
  const said = { out: '', err: '' }
  const streams = {
    out: { write: (text: string) => (said.out += text) },
    err: { write: (text: string) => (said.err += text) },
  }
  return { code: await runProgram(words, streams), ...said }
}

describe('the deaios command', () => {
  it.each([
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['--help'], 0, /start/],
  ])('answers %s', async (words, code, out) => {
    expect(await run(...words)).toEqual({ code, out: expect.stringMatching(out), err: '' })
  })

  it.each([
    [['strat'], 'unknown command'],
    [['start', '--prot', '1'], 'unknown option'],
    [['start', '--port', 'x'], 'It must be a number from 0 to 65535.'],
    [['start', '--port', '65536'], 'It must be a number from 0 to 65535.'],
    [['start', 'now'], 'too many arguments'],
    [[], 'Usage: deaios'],
  ])('calls %s wrong usage', async (words, expected) => {
    expect(await run(...words)).toEqual({ code: 2, out: '', err: expect.stringContaining(expected) })
  })

  it('says of every command, argument and option what it is', () => {
    const nowhere = { write: () => undefined }
    const withAll = (command: Command): Command[] => [command, ...command.commands.flatMap(withAll)]
    const commands = withAll(deaiosCommand({ out: nowhere, err: nowhere }))
    expect(commands.length).toBeGreaterThan(30)
    const unsaid = commands.flatMap((command) => [
      ...(command.description() === '' ? [command.name()] : []),
      ...[...command.registeredArguments, ...command.options]
        .filter(({ description }) => description === '')
        .map((part) => `${command.name()} ${part.name()}`),
    ])
    expect(unsaid).toEqual([])
  })

  it('says in one line what was refused', async () => {
    expect(await run('start', '--config', '/none.ts')).toEqual({
      code: 1,
      out: '',
      err: 'CONFIG_MISSING: there is no config file /none.ts; run deaios where deaios.config.ts is, or name one with --config\n',
    })
    expect(describeError(new TypeError('x is not a function'))).toBe('INTERNAL: x is not a function')
    const system = Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' })
    expect(describeError(system)).toBe('ENOENT: no such file or directory')
  })
})

describe('a command that answers', () => {
  it.each([
    [['height', 'a'], 'height 7\n'],
    [['height', 'a', '--json'], '{"shard":"a","height":"7","hash":"0x0102"}\n'],
  ])('prints text, or one JSON document: %s', async (words, expected) => {
    let out = ''
    const streams = { out: { write: (text: string) => (out += text) }, err: { write: () => undefined } }
    const program = new Command()
    answering(program.command('height <shard>'), streams, async ({ args }) => ({
      json: { shard: args[0], height: 7n, hash: new Uint8Array([1, 2]) },
      text: 'height 7',
    }))
    await program.parseAsync(words, { from: 'user' })
    expect(out).toBe(expected)
  })
})
