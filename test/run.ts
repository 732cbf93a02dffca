/**
 * `npm test`: format and lint, types, freshness of generated files, then all tests. The last line is
 * `N passed, N failed` (and `, N skipped`); each of the first three steps counts as one test.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const bin = (name: string): string => new URL(`../node_modules/.bin/${name}`, import.meta.url).pathname

/** Runs a program with our own output; resolves with whether it succeeded. */
async function succeeds(title: string, program: string, words: readonly string[]): Promise<boolean> {
  process.stdout.write(`\n> ${title}\n`)
  const child = spawn(program, words, { stdio: 'inherit' })
  return await new Promise((resolve) => {
    child.on('error', (error) => {
      process.stdout.write(`${error.message}\n`)
      resolve(false)
    })
    child.on('exit', (code) => resolve(code === 0))
  })
}

const Report = z.object({
  success: z.boolean(),
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
})

const count = { passed: 0, failed: 0, skipped: 0 }

const steps: readonly (readonly [title: string, program: string, words: readonly string[]])[] = [
  ['format and lint', bin('biome'), ['check', '.']],
  ['types', bin('tsc'), ['-p', '.']],
  ['generated files are fresh', process.execPath, ['codegen.ts', '--check']],
]
for (const [title, program, words] of steps) {
  if (await succeeds(title, program, words)) count.passed++
  else count.failed++
}

const folder = await mkdtemp(join(tmpdir(), 'deaios-report-'))
try {
  const file = join(folder, 'report.json')
  const filters = process.argv.slice(2)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const ended = await succeeds('tests', process.execPath, [bin('vitest'), 'run', ...reporters, ...filters])
  const report = Report.parse(JSON.parse(await readFile(file, 'utf8')))
  // A file that could not be loaded has no test to count, and an error outside of a test belongs to none.
  const broken = report.testResults.filter(
    (result) => result.status === 'failed' && result.assertionResults.length === 0,
  )
  const failed = report.numFailedTests + broken.length
  count.passed += report.numPassedTests
  count.failed += failed === 0 && !ended ? 1 : failed
  count.skipped += report.numPendingTests + report.numTodoTests
} catch (error) {
  process.stdout.write(`there is no report of the tests: ${error instanceof Error ? error.message : error}\n`)
  count.failed++
} finally {
  await rm(folder, { recursive: true, force: true })
}

process.exitCode = count.failed === 0 ? 0 : 1
const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`)
