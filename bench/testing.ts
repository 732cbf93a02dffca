import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, BenchOptions } from './benchmark.ts'

/** What benchmarks run with in tests; `said` collects what they tell people. */
export function testBench(scope: AsyncDisposableStack, options: BenchOptions = {}): Bench & { said: string[] } {
  const said: string[] = []
  return {
    options,
    scope,
    said,
    say: (text) => said.push(text),
    found: new Map(),
    folder() {
      const path = mkdtempSync(join(tmpdir(), 'deaios-bench-test-'))
      scope.defer(() => rmSync(path, { recursive: true, force: true }))
      return path
    },
  }
}
