/** The process that one scenario of a soak runs in: `run-here.ts <name> <count> <seed>`. */
import { SCENARIOS } from '../scenarios/all.ts'
import { Random } from '../scenarios/random.ts'
import { sayFigures } from '../scenarios/scenario.ts'
import type { Told } from './run-apart.ts'

const [name, count, seed] = process.argv.slice(2)
const scenario = SCENARIOS.find((one) => one.name === name)
if (scenario === undefined) throw new TypeError(`there is no scenario "${name}"`)

/** Resolves when the message is on its way: the process may end then. */
const tell = (told: Told): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(told, undefined, {}, () => resolve())
  })

try {
  const figures = await scenario.run({
    count: Number(count),
    isFull: true,
    random: new Random(Number(seed)),
    progress: (text) => void tell({ kind: 'progress', text }),
  })
  await tell({ kind: 'passed', said: sayFigures(figures) })
} catch (error) {
  await tell({ kind: 'failed', said: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}
// Whatever a scenario left open must not keep the soak waiting.
process.exit(0)
