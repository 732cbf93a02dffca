import { runProgram } from '../server/cli/program.ts'

/** Lines about how far it is: they come with the time that passes, so on a busy machine only. */
const PROGRESS = /^(\d+ cells \w+|root block \d+ of \d+, \d+ transactions)\n/gm

/** Runs `deaios` with these words in this process; `err` is what it complains of. */
export async function command(...words: readonly string[]) {
  const said = { out: '', err: '' }
  const into = (name: 'out' | 'err') => ({ write: (text: string) => (said[name] += text) })
  const code = await runProgram(words, { out: into('out'), err: into('err') })
  return { code, out: said.out, err: said.err.replace(PROGRESS, '') }
}
