import { setTimeout as sleep } from 'node:timers/promises'
import { LOST_AFTER_SECONDS } from './run-store.ts'

/** Does it, again and again if it fails, for as long as a run is not taken for lost. Throws the last error. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOST_AFTER_SECONDS * 1000
  for (let pause = 50; ; pause = Math.min(2 * pause, 1000)) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() + pause > deadline) throw error
    }
    await sleep(pause)
  }
}
