/**
 * `npm run soak -- execution`: the scenarios of a layer at full count, or single ones by name. Ends with a line for
 * each: what was counted, the seed that repeats it, how long it took. Exit code 1 if one failed, 2 if asked wrongly.
 */
import { parseArgs } from 'node:util'
import { offerTestPostgres } from '../server/testing/postgres.ts'
import { SCENARIOS } from './scenarios/all.ts'
import { newSeed } from './scenarios/random.ts'
import { ran, runApart } from './soak/run-apart.ts'

const USAGE = `usage: npm run soak -- [--list] [--seed <number>] [--count <number>] <layer or scenario>...
  for example: npm run soak -- execution, or: npm run soak -- execution/kill --seed 7`

class UsageError extends Error {}

function options() {
  const wholeNumber = (name: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    if (/^\d{1,10}$/.test(text)) return Number(text)
    throw new UsageError(`--${name} takes a whole number, not "${text}"`)
  }
  const { values, positionals } = parse()
  const names = new Set(positionals)
  const chosen = SCENARIOS.filter(({ name }) =>
    [...names].some((asked) => name === asked || name.startsWith(`${asked}/`)),
  )
  for (const asked of names) {
    if (!SCENARIOS.some(({ name }) => name === asked || name.startsWith(`${asked}/`))) {
      throw new UsageError(`there is no layer or scenario "${asked}": --list tells what there is`)
    }
  }
  if (chosen.length === 0 && values.list !== true) throw new UsageError('name a layer or a scenario')
  return {
    chosen,
    list: values.list === true,
    seed: wholeNumber('seed', values.seed),
    count: wholeNumber('count', values.count),
  }
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { list: { type: 'boolean' }, seed: { type: 'string' }, count: { type: 'string' } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function list(): void {
  for (const { name, claim, unit, counts } of SCENARIOS) {
    process.stdout.write(`${name.padEnd(28)} ${String(counts.full).padStart(6)} ${unit}: ${claim}\n`)
  }
}

try {
  const { chosen, list: onlyList, seed, count } = options()
  if (onlyList) list()
  else {
    const withdrawPostgres = await offerTestPostgres()
    const lines: string[] = []
    try {
      for (const scenario of chosen) {
        const result = await runApart(scenario, { seed: seed ?? newSeed(), count: count ?? scenario.counts.full })
        if (!result.passed) process.exitCode = 1
        lines.push(ran(scenario, result))
      }
    } finally {
      await withdrawPostgres()
    }
    const failed = lines.filter((line) => line.startsWith('FAILED')).length
    process.stdout.write(`\n${lines.join('\n')}\n\n${lines.length - failed} passed, ${failed} failed\n`)
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n${USAGE}\n`)
  process.exitCode = 2
}
