import { expect } from 'vitest'
import { z } from 'zod'
import { runProgram } from '../server/cli/program.ts'

/** Lines about how far it is: they come with the time that passes, so on a busy machine only. */
const PROGRESS = /^(\d+ cells \w+|root block \d+ of \d+, \d+ transactions)\n/gm

/** For tests: runs `deaios` with these words in this process; `err` is what it complains of. */
export async function command(...words: readonly string[]) {
  const said = { out: '', err: '' }
  const into = (name: 'out' | 'err') => ({ write: (text: string) => (said[name] += text) })
  const code = await runProgram(words, { out: into('out'), err: into('err') })
  return { code, out: said.out, err: said.err.replace(PROGRESS, '') }
}

/** For tests: the JSON document of a command that must succeed. */
export async function answerOf(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await command(...words, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return z.record(z.string(), z.unknown()).parse(JSON.parse(out))
}
