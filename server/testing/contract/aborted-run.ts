import { setTimeout as sleep } from 'node:timers/promises'

/** When a trial is aborted, and how long it may take to end then, in milliseconds. */
const ABORT_AFTER_MS = 20
const PATIENCE_MS = 5_000

/**
 * Runs something, aborts it soon after, and waits for its end.
 * @returns `ended`, or `still running` if it has not ended after some seconds
 * @throws what it throws before it was aborted
 */
export async function endsWhenAborted(
  run: (signal: AbortSignal) => Promise<void> | void,
): Promise<'ended' | 'still running'> {
  const trial = new AbortController()
  const over = new AbortController()
  const ended = Promise.try(() => run(trial.signal)).then(
    () => 'ended' as const,
    (error: unknown) => {
      // How it ends does not matter once it was told to.
      if (trial.signal.aborted) return 'ended' as const
      throw error
    },
  )
  const timer = setTimeout(() => trial.abort(new Error('the trial is over')), ABORT_AFTER_MS)
  try {
    const late = sleep(ABORT_AFTER_MS + PATIENCE_MS, 'still running' as const, { signal: over.signal })
    // Aborted when the run has ended first.
    late.catch(() => undefined)
    return await Promise.race([ended, late])
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}
