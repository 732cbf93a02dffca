import type { ExecutionResult } from 'graphql'
import { TestKitError } from './errors.ts'
import { PATIENCE_MS } from './patience.ts'

/** A subscription's results. Leave a `for await` loop, or call `end`, to unsubscribe. */
export interface TestSubscription extends AsyncIterableIterator<ExecutionResult, undefined> {
  /** The data of the next results. @throws TestKitError SUBSCRIPTION_ENDED | TOO_LATE, with what has come */
  take(count: number): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Unsubscribes. */
  end(): Promise<void>
}

/**
 * Reads a stream for a test. The first result is asked for at once: what happens from now on is seen even if the test
 * begins to read later.
 */
export function testSubscription(source: AsyncIterator<ExecutionResult>): TestSubscription {
  let first: Promise<IteratorResult<ExecutionResult, undefined>> | undefined = ask()
  // Whoever reads is told.
  first.catch(() => undefined)

  async function ask(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const result = await source.next()
    return result.done === true ? { done: true, value: undefined } : result
  }
  const next = (): Promise<IteratorResult<ExecutionResult, undefined>> => {
    const answer = first ?? ask()
    first = undefined
    return answer
  }
  const finish = async (): Promise<{ done: true; value: undefined }> => {
    await source.return?.()
    return { done: true, value: undefined }
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next,
    return: finish,
    async take(count) {
      const taken: Record<string, unknown>[] = []
      const progress = (): string => `${taken.length} of ${count} results came: ${JSON.stringify(taken)}`
      while (taken.length < count) {
        const result = await inTime(next(), () => `nothing more within ${PATIENCE_MS / 1000} s; ${progress()}`)
        if (result.done === true)
          throw new TestKitError('SUBSCRIPTION_ENDED', `the subscription has ended; ${progress()}`)
        const { data, errors } = result.value
        if (errors !== undefined || data == null)
          throw new TestKitError('SUBSCRIPTION_ENDED', `it answered with ${JSON.stringify(errors)}; ${progress()}`)
        taken.push(data)
      }
      return taken
    },
    async end() {
      await finish()
    },
  }
}

async function inTime<T>(work: Promise<T>, describe: () => string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new TestKitError('TOO_LATE', describe())), PATIENCE_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
