/** Waits that grow from 50 ms to 1 s while something stays out of reach. */
export class Backoff {
  #attempts = 0

  /** Whether the last try failed. */
  get failing(): boolean {
    return this.#attempts > 0
  }

  reset(): void {
    this.#attempts = 0
  }

  /** Resolves after the next wait, or at once when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    const ms = Math.min(50 * 2 ** this.#attempts++, 1000)
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    })
  }
}
