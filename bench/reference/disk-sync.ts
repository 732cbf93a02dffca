import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../benchmark.ts'
import { median } from '../percentile.ts'

const BYTES = 4096
const COUNT = 200

/** Milliseconds that the disk takes to keep 4 KiB: the least that anything durable can take. Median. */
export function diskSyncMs(bench: Bench): number {
  const file = openSync(join(bench.folder(), 'sync'), 'w')
  try {
    const bytes = Buffer.alloc(BYTES, 1)
    const times: number[] = []
    for (let i = 0; i < COUNT; i++) {
      const started = performance.now()
      writeSync(file, bytes, 0, BYTES, i * BYTES)
      fdatasyncSync(file)
      times.push(performance.now() - started)
    }
    return median(times)
  } finally {
    closeSync(file)
  }
}
