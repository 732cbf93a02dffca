import { describe, expect, it } from 'vitest'
import { runBench } from './program.ts'
import { benchmarks } from './registry.ts'

async function run(...words: string[]) {
  const said = { out: '', err: '' }
  const code = await runBench(words, {
    out: { write: (text: string) => (said.out += text) },
    err: { write: (text: string) => (said.err += text) },
  })
  return { code, ...said }
}

describe('the bench command', () => {
  it.each([
    [['light'], 'error: there is no benchmark "light"; there are all, execution, graphql, jobs, execution.transfers, '],
    [['execution.'], 'there is no benchmark'],
    [[], 'say what to measure'],
    [['all', '--seconds', '0'], 'It must be a number above 0.'],
    [['all', '--minutes', '1'], 'unknown option'],
    [['all', 'execution'], 'too many arguments'],
  ])('calls %s wrong usage', async (words, expected) => {
    expect(await run(...words)).toEqual({ code: 2, out: '', err: expect.stringContaining(expected) })
  })

  it('lists what there is', async () => {
    const { code, out, err } = await run('--list')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const lines = out.trimEnd().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual(benchmarks.map(({ name }) => name))
  })

  it('explains itself', async () => {
    expect(await run('--help')).toEqual({ code: 0, out: expect.stringContaining('--seconds'), err: '' })
  })
})
