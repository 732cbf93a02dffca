import { pause } from '../../../server/plugin.ts'

/** Lets one wait until others wake it. */
export class Waker {
  #woken: AbortController | undefined

  /** Resolves when `wake` is called, `other` resolves, or the milliseconds are over. */
  async wait(ms: number, other: Promise<void> | undefined): Promise<void> {
    const woken = new AbortController()
    this.#woken = woken
    const waiting = pause(ms, woken.signal)
    await (other === undefined ? waiting : Promise.race([waiting, other]))
    woken.abort()
  }

  /** Nothing happens if nobody waits. */
  wake(): void {
    this.#woken?.abort()
    this.#woken = undefined
  }
}
