/** The wish of whoever started us that we end. */
export interface StopRequest {
  /** Resolves with the signal's name. */
  readonly requested: Promise<NodeJS.Signals>
  /** Gives the signals back. */
  dispose(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Waits for Ctrl-C and its like. The first one asks for an orderly end, the second ends the process at once. */
export function awaitStopRequest(onImpatient: () => void): StopRequest {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let count = 0
  const listener = (signal: NodeJS.Signals): void => {
    if (count++ > 0) onImpatient()
    else resolve(signal)
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return {
    requested: promise,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    },
  }
}
