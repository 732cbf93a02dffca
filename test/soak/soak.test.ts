import { describe, expect, it } from 'vitest'
import { runNode } from '../../server/testing/program.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { ran, runApart } from './run-apart.ts'

const SOAK = new URL('../soak.ts', import.meta.url).pathname

async function soak(...words: readonly string[]) {
  const program = runNode([SOAK, ...words])
  const { code } = await program.ended
  return { code, ...program.output }
}

describe('npm run soak', () => {
  it('lists what it can run, each with its full count', async () => {
    const { code, out, err } = await soak('--list')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const { name, counts } of SCENARIOS) expect(out).toMatch(new RegExp(`^${name} +${counts.full} `, 'm'))
  })

  it('has scenarios of unlike names, each with a test at a lower count', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length)
    for (const { counts } of SCENARIOS) {
      expect(counts.reduced).toBeGreaterThan(0)
      expect(counts.reduced).toBeLessThan(counts.full)
    }
  })

  it.each([
    [['execution/nothing'], 'there is no layer or scenario "execution/nothing"'],
    [[], 'name a layer or a scenario'],
    [['execution', '--seed', 'x'], '--seed takes a whole number, not "x"'],
    [['execution', '--fast'], '--fast'],
  ])('asked wrongly (%j) ends with 2 and tells how to ask', async (words, said) => {
    const { code, out, err } = await soak(...words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(said)
    expect(err).toContain('usage: npm run soak')
  })

  it('runs a scenario and tells how to repeat it', async () => {
    const { code, out } = await soak('execution/fuzz', '--count', '500', '--seed', '7')
    expect(out).toMatch(
      /^passed execution\/fuzz: 500 spoiled transactions, seed 7, \d+ s: transactions 500, MALFORMED/m,
    )
    expect(out).toMatch(/\n1 passed, 0 failed\n$/)
    expect(code).toBe(0)
  })

  it('counts a scenario whose process ends without a result as failed', async () => {
    const [scenario] = SCENARIOS
    if (scenario === undefined) throw new TypeError('there are scenarios')
    const result = await runApart({ ...scenario, name: 'execution/nothing' }, { seed: 1, count: 1 })
    expect(result).toMatchObject({ passed: false, said: 'it ended without a result' })
    expect(ran(scenario, result)).toMatch(/^FAILED /)
  })
})
