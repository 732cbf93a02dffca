import { strict as assert } from 'node:assert'
import { thenClose } from '../first-error.ts'
import type { Scenario } from '../scenario.ts'
import { ALL_FAULTS } from './all-faults.ts'
import { openTarget } from './target.ts'
import { Verdicts } from './verdict.ts'

const BATCH = 250
/** One of so many is simulated too, which runs more of the ledger than a submission. */
const SIMULATE_EVERY = 10

/** Spoiled transactions by the thousand, straight into the ledger. */
export const fuzz: Scenario = {
  name: 'execution/fuzz',
  claim: 'spoiled transactions are each refused with their code, and change nothing',
  unit: 'spoiled transactions',
  counts: { full: 90_000, reduced: 3_000 },
  async run({ count, random, progress }) {
    const target = await openTarget()
    const refused = async () => {
      const { chain } = target.net
      const before = await target.snapshot()
      const verdicts = new Verdicts()
      for (let done = 0; done < count; done += BATCH) {
        const spoiled = Array.from({ length: Math.min(BATCH, count - done) }, () =>
          random.pick(ALL_FAULTS)(target.material(random)),
        )
        const wires = spoiled.map(({ wire }) => wire)
        const outcomes = await chain.submit(wires, { wait: random.pick(['NONE', 'INCLUDED', 'EXECUTED'] as const) })
        assert.equal(outcomes.length, spoiled.length)
        for (const [i, one] of spoiled.entries()) verdicts.check(one, outcomes[i])
        // What it would do is nobody's to say; that it is said, and the shard lives on, is what counts.
        await Promise.all(wires.filter((_, i) => i % SIMULATE_EVERY === 0).map((wire) => chain.simulate(wire)))
        if (done % 10_000 < BATCH) progress(`${done} of ${count}`)
      }
      assert.deepEqual(await target.snapshot(), before)
      assert.deepEqual(target.complaints, [])
      await target.takesValidOnes(random)
      return { transactions: count, ...verdicts.counts }
    }
    return thenClose(refused, () => target.net.close())
  },
}
