import { HostError } from './errors.ts'

/** How long a plugin may take, in milliseconds. */
export const BOUNDS = { start: 60_000, drain: 10_000, stop: 10_000, health: 2_000 } as const

/** The steps that are bounded. */
export type Step = keyof typeof BOUNDS

/**
 * Waits for a plugin's step, but not for ever: after its time the step is given up (it cannot be ended) with HUNG,
 * naming the plugin.
 */
export async function bounded<T>(
  plugin: string,
  step: Step,
  work: () => T | Promise<T>,
  bounds: Readonly<Record<Step, number>> = BOUNDS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `plugin "${plugin}": ${step} did not finish within ${bounds[step] / 1000} s`
      reject(new HostError('HUNG', message))
    }, bounds[step])
  })
  try {
    return await Promise.race([Promise.try(work), late])
  } finally {
    clearTimeout(timer)
  }
}
