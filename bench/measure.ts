import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError } from '../server/cli/command-error.ts'
import { type Bench, BenchError, type Benchmark, type BenchOptions } from './benchmark.ts'
import type { Figure } from './figure.ts'

export interface MeasureParts {
  readonly options: BenchOptions
  /** Where folders are made; the system's folder for temporary files if absent. */
  readonly data: string | undefined
  readonly say: (text: string) => void
  readonly onFigure: (found: Figure) => void
}

/** Runs benchmarks one after the other. True if one of them failed; the others run all the same. */
export async function measure(chosen: readonly Benchmark[], parts: MeasureParts): Promise<boolean> {
  const found = new Map<string, number>()
  let failed = false
  for (const benchmark of chosen) {
    parts.say(`${benchmark.name}: ${benchmark.description}`)
    try {
      await runOne(benchmark, found, parts)
    } catch (error) {
      if (error instanceof BenchError && error.code === 'STOPPED') throw error
      failed = true
      parts.say(`  failed: ${describeError(error)}`)
    }
  }
  return failed
}

async function runOne(benchmark: Benchmark, found: Map<string, number>, parts: MeasureParts): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const stop = stopRequest(scope)
  const bench: Bench = {
    options: parts.options,
    scope,
    found,
    say: (text) => parts.say(`  ${text}`),
    folder: () => folder(scope, parts.data),
  }
  const figures = benchmark.run(bench)[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([figures.next(), stop])
    if (next.done === true) return
    parts.onFigure(next.value)
  }
}

function folder(scope: AsyncDisposableStack, parent: string | undefined): string {
  if (parent !== undefined) mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent ?? tmpdir(), 'deaios-bench-'))
  scope.defer(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Rejects on Ctrl-C and its like, so that the scope ends what the benchmark has started. */
function stopRequest(scope: AsyncDisposableStack): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  // Whoever races with it looks at it; without a race it must not count as unhandled.
  promise.catch(() => undefined)
  let isStopping = false
  const listener = (signal: NodeJS.Signals): void => {
    // The second one means it: whoever sent it does not want to wait for the cleaning up.
    if (isStopping) process.exit(130)
    isStopping = true
    reject(new BenchError('STOPPED', `stopped by ${signal}`))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, listener)
    scope.defer(() => void process.off(signal, listener))
  }
  return promise
}
