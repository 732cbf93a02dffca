import { pause } from '../../../server/plugin.ts'
import { REFUSAL_CODES } from '../refusals.ts'
import { idKey } from '../state/ledger-cell.ts'
import { chargeOf, poolEntry, type Refusal, sessionRefusalOf } from './admission.ts'
import type { Barred } from './barred.ts'
import {
  ADMITTED,
  BARRED,
  type BatchAdmission,
  KNOWN,
  type PooledBatch,
  REFUSED,
  type TransactionBatch,
  wiresOf,
} from './batch.ts'
import { isDatabaseAway } from './database-away.ts'
import type { ShardEngine } from './engine.ts'
import type { ShardReport } from './messages.ts'
import type { PoolEntry, Waiter } from './pool-entry.ts'
import type { RunMarks } from './run-marks.ts'

const RETRY_MS = 100
/** Submitters of one transaction who wait to be told of its block. */
const MAX_WAITERS = 16

export interface DeskParts {
  readonly engine: Pick<ShardEngine, 'pricing' | 'price' | 'rootHeight' | 'cells' | 'mempool' | 'load'>
  readonly marks: RunMarks
  readonly barred: Barred
  readonly report: (report: ShardReport) => void
  /** There is something for a block. */
  readonly onWork: () => void
  readonly isStopping: () => boolean
}

/** Takes transactions into a shard's mempool, and says which. */
export class Desk {
  readonly #engine: DeskParts['engine']
  readonly #marks: RunMarks
  readonly #barred: Barred
  readonly #report: DeskParts['report']
  readonly #onWork: () => void
  readonly #isStopping: () => boolean
  #isClosed = false
  #adopting: Promise<void> | undefined

  constructor({ engine, marks, barred, report, onWork, isStopping }: DeskParts) {
    this.#engine = engine
    this.#marks = marks
    this.#barred = barred
    this.#report = report
    this.#onWork = onWork
    this.#isStopping = isStopping
  }

  /** Takes no more: what was in the mempool went to the shard's children. */
  close(): void {
    this.#isClosed = true
  }

  /** Takes over what waited in the pool of the shard that this one was split off from, before anything else. */
  adopt(pool: PooledBatch): Promise<void> {
    this.#adopting = this.#adopt(pool)
    return this.#adopting
  }

  async #adopt(pool: PooledBatch): Promise<void> {
    const { pricing } = this.#engine
    const entries: PoolEntry[] = []
    let index = 0
    for (const wire of wiresOf(pool)) {
      const id = pool.ids.subarray(32 * index, 32 * index + 32)
      this.#marks.transaction('admission', id)
      const made = this.#marks.run(() => poolEntry(pricing, wire, id, this.#engine.rootHeight))
      if ('entry' in made) entries.push(made.entry)
      else {
        const status = made.refusal.code === 'EXPIRED' ? 'EXPIRED' : 'EVICTED'
        this.#report({ type: 'dropped', drop: { status, ids: id.slice(), waiters: new Uint32Array(0) } })
      }
      index++
    }
    await this.#loadAnyhow(entries.map(({ transaction }) => transaction.sender))
    for (const entry of entries) {
      if (this.#engine.mempool.adopt(entry, this.#engine.cells.get(entry.senderKey)).kind !== 'refused') continue
      const ids = entry.transaction.id.slice()
      this.#report({ type: 'dropped', drop: { status: 'REPLACED', ids, waiters: new Uint32Array(0) } })
    }
    this.#report({ type: 'adopted' })
    this.#onWork()
  }

  /** Loads cells, however long the database is away. */
  async #loadAnyhow(ids: readonly Uint8Array[]): Promise<void> {
    for (;;) {
      try {
        return await this.#engine.load(ids)
      } catch (error) {
        if (!isDatabaseAway(error) || this.#isStopping()) throw error
        await pause(RETRY_MS)
      }
    }
  }

  /** Takes verified transactions in; the report says what was taken. */
  async submit(batch: TransactionBatch): Promise<void> {
    const results = new Uint8Array(batch.lengths.length)
    const messages: [number, string][] = []
    const admissible: { entry: PoolEntry; index: number }[] = []
    const refuse = (index: number, refusal: Refusal): void => {
      results[index] = REFUSED + REFUSAL_CODES.indexOf(refusal.code)
      if (refusal.message !== undefined) messages.push([index, refusal.message])
    }
    const { pricing } = this.#engine
    let index = 0
    for (const wire of wiresOf(batch)) {
      const id = batch.ids.subarray(32 * index, 32 * index + 32)
      if (this.#barred.has(idKey(id))) results[index] = BARRED
      else {
        this.#marks.transaction('admission', id)
        const made = this.#marks.run(() => poolEntry(pricing, wire, id, this.#engine.rootHeight))
        if ('refusal' in made) refuse(index, made.refusal)
        else admissible.push({ entry: made.entry, index })
      }
      index++
    }
    // What is in the parent's pool was there first: a nonce is too far, or taken, only as seen from there.
    await this.#adopting
    await this.#engine.load(admissible.map(({ entry }) => entry.transaction.sender))
    // Nobody is told anything of them: the node sends them to the children.
    if (this.#isClosed) return
    const { price } = this.#engine
    for (const { entry, index } of admissible) {
      const account = this.#engine.cells.get(entry.senderKey)
      const barred = sessionRefusalOf(chargeOf(entry, price), account, this.#engine.rootHeight)
      if (barred !== undefined) {
        refuse(index, barred)
        continue
      }
      const admission = this.#engine.mempool.add(entry, account, price)
      if (admission.kind === 'refused') refuse(index, admission)
      else {
        results[index] = admission.kind === 'added' ? ADMITTED : KNOWN
        if (batch.wait) this.#wait(admission.kind === 'added' ? entry : admission.entry, { batch: batch.batch, index })
      }
    }
    const admission: BatchAdmission = { batch: batch.batch, results, messages }
    this.#report({ type: 'admitted', admission })
    this.#onWork()
  }

  /** Submitting the same bytes over and over must not make the list long: who has waited longest is answered. */
  #wait({ waiters }: PoolEntry, waiter: Waiter): void {
    waiters.push(waiter)
    const oldest = waiters.length > MAX_WAITERS ? waiters.shift() : undefined
    if (oldest === undefined) return
    const drop = {
      status: 'PENDING',
      ids: new Uint8Array(0),
      waiters: Uint32Array.of(oldest.batch, oldest.index),
    } as const
    this.#report({ type: 'dropped', drop })
  }
}
