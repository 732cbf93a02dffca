import { ClientError } from './errors.ts'

/**
 * Runs something that must end in time.
 * @param timeout milliseconds
 * @param run is given the signal that ends it: the caller's own, or that of the time
 * @throws ClientError TIMEOUT when the time is over; the caller's signal's reason when that was aborted
 */
export async function within<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeout)
  try {
    return await run(signal === undefined ? limit : AbortSignal.any([signal, limit]))
  } catch (error) {
    signal?.throwIfAborted()
    if (!limit.aborted) throw error
    throw new ClientError(
      'TIMEOUT',
      `it took longer than ${timeout} ms: allow a longer \`timeout\`, or ask again later`,
      {
        cause: error,
      },
    )
  }
}
