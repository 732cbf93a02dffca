/** The wish of whoever started us that we end. */
export interface StopRequest {
  /** Resolves with the signal's name. */
  readonly requested: Promise<NodeJS.Signals>
  /** Gives the signals back. */
  dispose(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** npm passes on the Ctrl-C that the terminal has sent to us already: within this time it is the same one. */
const SAME_REQUEST_MS = 500

/** Waits for Ctrl-C and its like. The first one asks for an orderly end, the second ends the process at once. */
export function awaitStopRequest(onImpatient: () => void): StopRequest {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let first: number | undefined
  const listener = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now()
      resolve(signal)
    } else if (performance.now() - first > SAME_REQUEST_MS) onImpatient()
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return {
    requested: promise,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    },
  }
}
