import type { Clock } from '../plugin/host.ts'

interface Sleeper {
  readonly until: number
  wake(): void
}

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /** Moves time forward by milliseconds; whoever sleeps until then wakes up, in order. */
  advance(ms: number): Promise<void>
}

/**
 * A clock for `createTestHost({ clock })`. Nothing in it passes by itself: `host.advance(ms)` moves it, wakes those who
 * sleep by it, and runs the cron jobs that are due.
 *
 * @param start milliseconds since 1970; the beginning of 2030 if absent
 */
export function testClock(start: number = Date.UTC(2030, 0, 1)): TestClock {
  let now = start
  const sleepers = new Set<Sleeper>()
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      if (ms <= 0) return
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          until: now + ms,
          wake: () => {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', abort)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...sleepers].filter(({ until }) => until <= end).sort((a, b) => a.until - b.until)
        if (next === undefined) break
        now = Math.max(now, next.until)
        next.wake()
        // What was woken may go to sleep again before the end.
        await new Promise(setImmediate)
      }
      now = end
    },
  }
}

export const isTestClock = (clock: Clock | undefined): clock is TestClock => clock !== undefined && 'advance' in clock
