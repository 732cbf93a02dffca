import { z } from 'zod'
import { topic } from '../../../server/plugin.ts'
import { TOPIC } from './messages.ts'

/** The events of the benchmarks, numbered, each with the time (in microseconds) at which it was made. */
export const Measured = topic(TOPIC, z.object({ n: z.int(), at: z.int(), by: z.string(), reading: z.int() }))

let made = 0

/** Microseconds, comparable between processes of one machine. */
export const microseconds = (): number => Math.round(1000 * (performance.timeOrigin + performance.now()))

/** The next events of this process, to be published. */
export function measurements(howMany: number) {
  const at = microseconds()
  return Array.from({ length: howMany }, () => {
    const n = made++
    return [Measured, { n, at, by: 'station 7', reading: (n * 7919) % 100_000 }] as const
  })
}
