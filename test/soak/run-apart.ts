import { fork } from 'node:child_process'
import { z } from 'zod'
import type { Scenario } from '../scenarios/scenario.ts'

/** How one run ended. */
export interface Ran {
  readonly passed: boolean
  readonly count: number
  readonly seed: number
  readonly seconds: number
  /** What was counted; or what did not hold. */
  readonly said: string
}

/** What the process of a scenario tells. */
export const Told = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), text: z.string() }),
  z.object({ kind: z.literal('passed'), said: z.string() }),
  z.object({ kind: z.literal('failed'), said: z.string() }),
])
export type Told = z.output<typeof Told>

/** A scenario that says nothing for so long hangs. */
const SILENCE_MS = 10 * 60_000

/**
 * Runs a scenario in a process of its own, so that one that breaks it takes nothing else along; prints its progress.
 * The process finds the tests' Postgres by its parent, as test workers do.
 */
export async function runApart(scenario: Scenario, plan: { seed: number; count: number }): Promise<Ran> {
  const { name, claim, unit } = scenario
  const { seed, count } = plan
  process.stdout.write(`\n${name}: ${claim}\n  ${count} ${unit}, seed ${seed}\n`)
  const started = performance.now()
  const seconds = (): number => Math.round((performance.now() - started) / 1000)
  const child = fork(new URL('./run-here.ts', import.meta.url), [name, String(count), String(seed)])
  const ended = Promise.withResolvers<string>()
  const last: { told: Told } = { told: { kind: 'failed', said: 'it ended without a result' } }
  const hang = (): void => {
    last.told = { kind: 'failed', said: `it said nothing for ${SILENCE_MS / 60_000} minutes` }
    child.kill('SIGKILL')
  }
  let silence = setTimeout(hang, SILENCE_MS)
  child.on('message', (message) => {
    clearTimeout(silence)
    silence = setTimeout(hang, SILENCE_MS)
    const told = Told.parse(message)
    last.told = told
    if (told.kind === 'progress') process.stdout.write(`  ${clock(seconds())} ${told.text}\n`)
  })
  child.on('error', (error) => ended.resolve(error.message))
  child.on('exit', (code, signal) => ended.resolve(`it ended by ${signal ?? `exit code ${code}`}`))
  const how = await ended.promise
  clearTimeout(silence)
  const { told } = last
  const passed = told.kind === 'passed'
  const said = told.kind === 'progress' ? `${how} after: ${told.text}` : told.said
  process.stdout.write(`  ${clock(seconds())} ${passed ? 'passed' : 'FAILED'}: ${said}\n`)
  return { passed, count, seed, seconds: seconds(), said }
}

/** One line of the summary. */
export function ran({ name, unit }: Scenario, { passed, count, seed, seconds, said }: Ran): string {
  const what = `${passed ? 'passed' : 'FAILED'} ${name}: ${count} ${unit}, seed ${seed}, ${seconds} s`
  return `${what}: ${said.split('\n')[0]}`
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
