import { pause } from '../pause.ts'

/** Waits for it, but no longer than so many milliseconds. Tells whether it came. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController()
  const came = await Promise.race([work.then(() => true), pause(ms, over.signal).then(() => false)])
  over.abort()
  return came
}
