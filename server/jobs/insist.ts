import { setTimeout as sleep } from 'node:timers/promises'

/** By then the run is taken for lost, and done again. */
const GIVE_UP_MS = 9_000

/** Does it, again and again if it fails, for 9 s. Throws the last error. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + GIVE_UP_MS
  for (let pause = 50; ; pause = Math.min(2 * pause, 1000)) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() + pause > deadline) throw error
    }
    await sleep(pause)
  }
}
