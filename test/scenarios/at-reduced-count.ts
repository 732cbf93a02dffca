import { it } from 'vitest'
import { newSeed, Random } from './random.ts'
import { type Scenario, sayFigures } from './scenario.ts'

/** Ends a scenario that hangs; a machine that does much else takes minutes for those that start nodes again and again. */
const CEILING_MS = 600_000

/** Runs a scenario as a test, at its reduced count. What it prints is enough to repeat it with `npm run soak`. */
export function atReducedCount(scenario: Scenario): void {
  const { name, claim, unit, counts } = scenario
  it(claim, { timeout: CEILING_MS }, async () => {
    const seed = newSeed()
    const what = `${name}: ${counts.reduced} of ${counts.full} ${unit}, seed ${seed}`
    const steps: string[] = []
    try {
      const figures = await scenario.run({
        count: counts.reduced,
        isFull: false,
        random: new Random(seed),
        progress: (text) => steps.push(text),
      })
      console.log(`${what}: ${sayFigures(figures)}`)
    } catch (error) {
      console.log(`${what} failed after: ${steps.slice(-10).join('; ')}`)
      throw error
    }
  })
}
