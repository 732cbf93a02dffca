import { type Log, pause } from '../../../server/plugin.ts'
import type { TransactionState } from '../api.ts'
import { idKey } from '../state/ledger-cell.ts'
import { WatchLimitError } from './errors.ts'
import { isFinal, type TransactionStates } from './states.ts'

/** Transactions that may be watched at a time, in all. */
const MAX_WATCHED = 100_000
/** Ids in one look-up. */
const PAGE = 500
const RETRY_MS = 200

type Listener = (state: TransactionState) => void

/**
 * Tells watchers what becomes of transactions. Blocks name the transactions that they touch; those that are watched are
 * looked up again, many at a time, so what a watcher sees is always what is stored.
 */
export class TransactionWatch {
  readonly #states: TransactionStates
  readonly #log: Log
  readonly #listeners = new Map<string, { readonly id: Uint8Array; readonly listeners: Set<Listener> }>()
  #changed = new Map<string, Uint8Array>()
  #isLooking = false
  #stopped = false

  constructor(states: TransactionStates, log: Log) {
    this.#states = states
    this.#log = log
  }

  /** Something happened to these transactions; 32 bytes each. */
  touched(ids: Uint8Array): void {
    if (this.#listeners.size === 0) return
    for (let at = 0; at < ids.length; at += 32) {
      const key = idKey(ids.subarray(at, at + 32))
      const watched = this.#listeners.get(key)
      if (watched !== undefined) this.#changed.set(key, watched.id)
    }
    void this.#look()
  }

  /** A shard was started again: what it made durable untold, or lost with its mempool, is told now. */
  recheck(): void {
    for (const [key, { id }] of this.#listeners) this.#changed.set(key, id)
    void this.#look()
  }

  /**
   * Calls the listener with each state that is found after a change; the caller looks up the first one itself, after
   * this. Returns how to end it. @throws WatchLimitError if too many are watched.
   */
  listen(id: Uint8Array, listener: Listener): () => void {
    const key = idKey(id)
    const watched = this.#listeners.get(key) ?? { id, listeners: new Set<Listener>() }
    if (this.#listeners.size >= MAX_WATCHED) {
      throw new WatchLimitError(`${MAX_WATCHED} transactions are watched already: ask transaction(id) instead`)
    }
    this.#listeners.set(key, watched)
    watched.listeners.add(listener)
    return () => {
      watched.listeners.delete(listener)
      if (watched.listeners.size === 0 && this.#listeners.get(key) === watched) this.#listeners.delete(key)
    }
  }

  /** Its present state, then each other one, until it is final. Empty for an unknown id. */
  async *states(id: Uint8Array, signal: AbortSignal): AsyncGenerator<TransactionState, void> {
    const queue: TransactionState[] = []
    let wake = new AbortController()
    const end = this.listen(id, (state) => {
      // A transaction has few states, but touching it often must not queue the same one again and again.
      if (queue.at(-1)?.status !== state.status) queue.push(state)
      wake.abort()
    })
    try {
      const [first] = await this.#states.find([id])
      if (first === null || first === undefined) return
      let last = first
      yield first
      while (!isFinal(last.status) && !signal.aborted) {
        const next = queue.shift()
        if (next === undefined) {
          wake = new AbortController()
          await pause(60_000, AbortSignal.any([wake.signal, signal]))
        } else if (next.status !== last.status && rank(next) > rank(last)) {
          last = next
          yield next
        }
      }
    } finally {
      end()
    }
  }

  stop(): void {
    this.#stopped = true
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    while (this.#changed.size > 0 && !this.#stopped) {
      const changed = [...this.#changed].slice(0, PAGE)
      for (const [key] of changed) this.#changed.delete(key)
      try {
        const states = await this.#states.find(changed.map(([, id]) => id))
        for (const [i, [key, id]] of changed.entries()) {
          // What was known and is not any more was in the mempool of a shard that crashed.
          const state = states[i] ?? { id, status: 'EVICTED', at: null, pending: null }
          for (const listener of [...(this.#listeners.get(key)?.listeners ?? [])]) listener(state)
        }
      } catch (error) {
        this.#log.warn({ error: String(error) }, 'transaction states cannot be read; trying again')
        for (const [key, id] of changed) this.#changed.set(key, id)
        await pause(RETRY_MS)
      }
    }
    this.#isLooking = false
  }
}

/** States follow one another in this order only; a look-up that overtook a later one is not shown. */
export function rank(state: TransactionState): number {
  if (state.status === 'PENDING') return 0
  return state.status === 'INCLUDED' ? 1 : 2
}
