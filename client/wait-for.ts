import { within } from './deadline.ts'
import { delay } from './delay.ts'
import { ClientError, isClientError } from './errors.ts'
import type { TransactionStatus } from './operations.ts'
import type { TransactionInfo } from './transaction-info.ts'

/** How long to wait for a transaction. */
export interface WaitOptions {
  /** INCLUDED: its first block is durable. EXECUTED (if absent): all its actions came to an end, in all shards. */
  readonly until?: 'INCLUDED' | 'EXECUTED'
  readonly signal?: AbortSignal
  /** Milliseconds in all; 120,000 if absent. */
  readonly timeout?: number
}

/** The two ways to learn about a transaction. */
export interface Sources {
  /** Its states as they change; absent where there is no WebSocket. */
  readonly watch: ((id: string, signal: AbortSignal) => AsyncIterable<TransactionInfo>) | undefined
  /** Its present state; undefined if the server does not know it. */
  readonly read: (id: string, signal: AbortSignal) => Promise<TransactionInfo | undefined>
}

/** How often a subscription is tried before the state is asked for instead. */
const SUBSCRIPTIONS = 3
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1000

/**
 * Waits until a transaction got so far. FAILED is an answer, not an error: some of its actions were refused, the others
 * stand. Goes on when the server is away for a while.
 * @throws ClientError NOT_INCLUDED, TRANSACTION_UNKNOWN, TIMEOUT; the signal's reason.
 */
export async function waitFor(sources: Sources, id: string, options: WaitOptions): Promise<TransactionInfo> {
  const { until = 'EXECUTED', timeout = 120_000 } = options
  return within(
    timeout,
    options.signal,
    async (signal) =>
      (await bySubscription(sources, id, until, signal)) ?? (await byAsking(sources, id, until, signal)),
  )
}

/**
 * True if the status is as far as that.
 * @throws ClientError NOT_INCLUDED if it will never be.
 */
export function hasReached(id: string, status: TransactionStatus, until: 'INCLUDED' | 'EXECUTED'): boolean {
  switch (status) {
    case 'PENDING':
      return false
    case 'INCLUDED':
      return until === 'INCLUDED'
    case 'EXECUTED':
    case 'FAILED':
      return true
    default:
      throw new ClientError('NOT_INCLUDED', `${id} is ${status}: it was never included`, {
        reason: status,
        transaction: id,
      })
  }
}

async function bySubscription(sources: Sources, id: string, until: 'INCLUDED' | 'EXECUTED', signal: AbortSignal) {
  if (sources.watch === undefined) return undefined
  for (let pause = SHORTEST_PAUSE, tried = 0; tried < SUBSCRIPTIONS; tried++, pause *= 4) {
    try {
      for await (const info of sources.watch(id, signal)) if (hasReached(id, info.status, until)) return info
    } catch (error) {
      if (!isClientError(error, 'DISCONNECTED', 'UNREACHABLE')) throw error
    }
    await delay(pause, signal)
  }
  return undefined
}

async function byAsking(sources: Sources, id: string, until: 'INCLUDED' | 'EXECUTED', signal: AbortSignal) {
  for (let pause = SHORTEST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const info = await readUnlessAway(sources, id, signal)
    if (info !== 'away' && hasReached(id, info.status, until)) return info
    await delay(pause, signal)
  }
}

async function readUnlessAway(sources: Sources, id: string, signal: AbortSignal): Promise<TransactionInfo | 'away'> {
  try {
    const info = await sources.read(id, signal)
    if (info !== undefined) return info
  } catch (error) {
    if (isClientError(error, 'UNREACHABLE', 'TIMEOUT')) return 'away'
    throw error
  }
  throw new ClientError('TRANSACTION_UNKNOWN', `the server does not know ${id}: submit it (again)`, { transaction: id })
}
