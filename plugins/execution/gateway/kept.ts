import type { DropReport } from '../shard/messages.ts'
import { idKey } from '../state/ledger-cell.ts'
import { SubmissionError } from './errors.ts'
import { accept, type Ticket } from './ticket.ts'

/** Submitters of one transaction who are told of it after a crash; others are answered as it stands. */
const MAX_TICKETS = 16
const ignore = (): void => undefined

/** A transaction that a shard's mempool has, or is about to have. */
export interface Kept {
  readonly id: Uint8Array
  readonly wire: Uint8Array
  /** Where its sender's cell lives: the realm, and the first 32 bits of the path. */
  readonly realm: number
  readonly pathBits: number
  /** The shard that it was sent to last; undefined while that is down. */
  shard: string | undefined
  /** On its way to the mempool, in it, or lost with it: then it is sent again. */
  state: 'sent' | 'pending' | 'lost'
  /** Those who wait for its answer. */
  tickets: Ticket[]
}

/**
 * The transactions that wait in mempools, once more: those die with their threads. Bounded as the mempools are, since
 * whatever leaves one leaves this too.
 */
export class KeptTransactions {
  readonly #kept = new Map<string, Kept>()
  readonly #onGone: (id: Uint8Array) => void

  /** `onGone` is told of each that was lost with a mempool, and is not taken again. */
  constructor(onGone: (id: Uint8Array) => void) {
    this.#onGone = onGone
  }

  get size(): number {
    return this.#kept.size
  }

  /** It is sent to a shard. */
  sent(ticket: Ticket, id: Uint8Array, place: { shard: string; realm: number; pathBits: number }): void {
    const key = idKey(id)
    const known = this.#kept.get(key)
    if (known !== undefined) {
      known.shard = place.shard
      if (!known.tickets.includes(ticket) && known.tickets.length < MAX_TICKETS) known.tickets.push(ticket)
      return
    }
    this.#kept.set(key, { id, wire: owned(ticket.wire), ...place, state: 'sent', tickets: [ticket] })
  }

  /** The mempool has it. */
  pending(id: Uint8Array, ticket: Ticket): void {
    const kept = this.#kept.get(idKey(id))
    if (kept === undefined) return
    kept.state = 'pending'
    // Who was answered is not held on to.
    if (!ticket.waits) kept.tickets = kept.tickets.filter((other) => other !== ticket)
  }

  /** It was not taken. Another submission of the same bytes may have been. */
  refused(id: Uint8Array | null): void {
    if (id === null) return
    const key = idKey(id)
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.state === 'pending' || kept.shard === undefined) return
    this.#kept.delete(key)
    if (kept.state === 'lost') this.#onGone(id)
  }

  /** The shard was not there to take it. What was lost with it before still waits for its return. */
  unsent(ticket: Ticket): void {
    const key = idKey(ticket.id ?? new Uint8Array(0))
    const kept = this.#kept.get(key)
    if (kept?.state === 'sent') this.#kept.delete(key)
    if (kept?.state !== 'lost') return
    kept.shard = undefined
    kept.tickets = kept.tickets.filter((other) => other !== ticket)
  }

  /** They are in a block. `ids`: 32 bytes each. */
  included(ids: Uint8Array): void {
    if (this.#kept.size === 0) return
    for (let at = 0; at < ids.length; at += 32) this.#kept.delete(idKey(ids.subarray(at, at + 32)))
  }

  /** They left without a block, and whoever waits still is told. */
  dropped({ ids, status }: Pick<DropReport, 'ids' | 'status'>): void {
    for (let at = 0; at < ids.length; at += 32) {
      const key = idKey(ids.subarray(at, at + 32))
      const kept = this.#kept.get(key)
      this.#kept.delete(key)
      for (const ticket of kept?.tickets ?? []) accept(ticket, status, null)
    }
  }

  /**
   * The shard is down, and what its mempool had has to be sent again; or it does not come back, and that is gone. `home`:
   * where one belongs that has waited for the shard's return since an earlier time.
   */
  down(shard: string, comesBack: boolean, home: (kept: Kept) => string | undefined): void {
    for (const [key, kept] of this.#kept) {
      const isHomeless = kept.shard === undefined
      if ((kept.shard ?? home(kept)) !== shard) continue
      kept.shard = undefined
      if (kept.state === 'pending') kept.state = 'lost'
      if (comesBack) continue
      this.#kept.delete(key)
      if (kept.state === 'lost' || isHomeless) this.#onGone(kept.id)
      // Nothing else answers those: the batches that they were in are gone.
      if (!isHomeless) continue
      const down = `shard ${shard} is down: try again in a moment`
      for (const ticket of kept.tickets) ticket.settle(new SubmissionError('SHARD_UNAVAILABLE', down))
    }
  }

  /** A shard's pool went to others. `home`: where each belongs now. */
  moved(shard: string, home: (kept: Kept) => string): void {
    for (const kept of this.#kept.values()) if (kept.shard === shard) kept.shard = home(kept)
  }

  /** Those that are in no shard now. */
  homeless(): Kept[] {
    return [...this.#kept.values()].filter(({ shard }) => shard === undefined)
  }

  /** The wire bytes of a transaction that waits; undefined if it does not. */
  find(id: Uint8Array): Uint8Array | undefined {
    const kept = this.#kept.get(idKey(id))
    return kept === undefined || kept.state === 'sent' ? undefined : kept.wire
  }
}

/** A ticket of somebody who was answered long ago. */
export const bareTicket = ({ wire, id, pathBits }: Kept): Ticket => ({
  wire,
  waits: false,
  id,
  duplicate: false,
  pathBits,
  isAdmitted: true,
  settle: ignore,
})

/** A small view of a large buffer would keep all of it. */
const owned = (wire: Uint8Array): Uint8Array => (wire.buffer.byteLength > 2 * wire.length ? wire.slice() : wire)
