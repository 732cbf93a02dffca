import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { runNode } from './program.ts'

const root = new URL('../../', import.meta.url).pathname
const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ title: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
})

/** Of each test of the contract: how it ended for a plugin that keeps to nothing. */
async function contractOf(fixture: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'deaios-contract-'))
  try {
    const file = join(folder, 'report.json')
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const config = 'test/fixtures/contract/contract.config.ts'
    const words = [vitest, 'run', fixture, '--config', config, '--reporter=json', `--outputFile=${file}`]
    await runNode(words, { cwd: root }).ended
    const { testResults } = Report.parse(JSON.parse(await readFile(file, 'utf8')))
    return Object.fromEntries(
      testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .map(({ title, status, failureMessages }) => [title, `${status}: ${failureMessages.join('\n')}`]),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

it('the contract finds whatever a plugin does not keep to', async () => {
  const failed = (text: string) => expect.stringMatching(new RegExp(`^failed: [^]*${text}`))
  expect(await contractOf('sloppy')).toEqual({
    'leaves nothing open when it stops': failed('it left a timer running, made at .*sloppy'),
    'starts and stops, twice; migrates an empty database, and one that is up to date': 'passed: ',
    'keeps its tables in its own schema': failed('it made public.stray'),
    'bounds and costs every list': failed('Query.allSaid is a list that does not say how long'),
    'resumes its subscriptions without gap or repeat': failed('Subscription.said resumed after a cursor'),
    'ends its jobs when they are aborted': failed('the job "dawdle" goes on'),
  })
}, 240_000)
