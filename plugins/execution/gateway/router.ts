import type { TransactionStatus } from '../api.ts'
import type { Directory } from '../fleet/shard-map.ts'
import { REFUSAL_CODES } from '../refusals.ts'
import { ADMITTED, BARRED, type BatchAdmission, KNOWN, REFUSED, type TransactionBatch } from '../shard/batch.ts'
import { type BlockReport, type DropReport, WAITER_STATUS } from '../shard/messages.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import type { VerifyResponse } from '../verify/pool.ts'
import { SubmissionError } from './errors.ts'
import { bareTicket, type KeptTransactions } from './kept.ts'
import { accept, packWires, refuse, type Ticket } from './ticket.ts'

/** A shard that takes transactions. */
export interface Destination {
  readonly space: ShardSpace
  readonly host: ShardHost
}

/** A transaction whose nonce is used, or whose time is over: it may be a repeat of one that is in a block. */
export interface LateTicket {
  readonly ticket: Ticket
  readonly code: 'NONCE_USED' | 'EXPIRED'
  readonly message: string | undefined
}

interface OpenBatch {
  readonly shard: string
  /** The realm of all its transactions. */
  readonly realm: number
  /** By index in the batch; undefined once answered. */
  readonly tickets: (Ticket | undefined)[]
  open: number
}

const NUMBER_SPACE = 2 ** 32
/** Transactions in one message to a shard that takes over from another, or runs again. */
const MOVED_BATCH = 500

/** Sends verified transactions to the shard of their sender, and answers tickets as shards report. */
export class Router {
  readonly #directory: Directory<Destination>
  readonly #kept: KeptTransactions
  readonly #onLate: (ticket: LateTicket) => void
  readonly #batches = new Map<number, OpenBatch>()
  #number = 0

  /** `onLate` finds out whether it is a repeated submission of an included transaction. */
  constructor(directory: Directory<Destination>, kept: KeptTransactions, onLate: (ticket: LateTicket) => void) {
    this.#directory = directory
    this.#kept = kept
    this.#onLate = onLate
  }

  /** Routes what a verifier found good; refuses the rest. */
  route(tickets: readonly Ticket[], found: VerifyResponse): void {
    const messages = new Map(found.messages)
    const groups = new Map<Destination, Ticket[]>()
    for (const [i, ticket] of tickets.entries()) {
      const result = found.results[i]!
      if (result !== 0) {
        const code = REFUSAL_CODES[result - 1] ?? 'MALFORMED'
        refuse(ticket, code, messages.get(i))
        continue
      }
      ticket.id = found.ids.slice(32 * i, 32 * i + 32)
      ticket.pathBits = found.pathBits[i]!
      const destination = this.#directory.at(found.realms[i]!, ticket.pathBits)
      if (destination === undefined) {
        refuse(ticket, 'BAD_ARGUMENTS', `there is no realm ${found.realms[i]}: use 0, the public one`)
        continue
      }
      const { id: shard } = destination.host
      this.#kept.sent(ticket, ticket.id, { shard, realm: found.realms[i]!, pathBits: ticket.pathBits })
      const group = groups.get(destination)
      if (group === undefined) groups.set(destination, [ticket])
      else group.push(ticket)
    }
    for (const [destination, members] of groups) this.#send(destination, members)
  }

  /** What a shard says at once. */
  admitted(admission: BatchAdmission): void {
    const batch = this.#batches.get(admission.batch)
    if (batch === undefined) return
    const messages = new Map(admission.messages)
    admission.results.forEach((result, index) => {
      const ticket = batch.tickets[index]
      if (ticket === undefined) return
      if (result >= REFUSED) {
        const code = REFUSAL_CODES[result - REFUSED] ?? 'MALFORMED'
        this.#close(admission.batch, batch, index)
        this.#kept.refused(ticket.id)
        const message = messages.get(index)
        if (code === 'NONCE_USED' || code === 'EXPIRED') this.#onLate({ ticket, code, message })
        else refuse(ticket, code, message)
        return
      }
      // One that was admitted by a shard that was split since is known to the child, of course.
      if (!ticket.isAdmitted) ticket.duplicate = result === KNOWN || result === BARRED
      ticket.isAdmitted = true
      if (result === BARRED) {
        this.#close(admission.batch, batch, index)
        this.#kept.refused(ticket.id)
        accept(ticket, 'EVICTED', null)
        return
      }
      if (ticket.id !== null) this.#kept.pending(ticket.id, ticket)
      if (ticket.waits && (result === ADMITTED || result === KNOWN)) return
      this.#close(admission.batch, batch, index)
      accept(ticket, 'PENDING', null)
    })
  }

  /** A durable block: those who wait for its transactions are answered. */
  included(block: BlockReport): void {
    const { waiters, shard, height } = block
    this.#kept.included(block.included)
    for (let i = 0; i < waiters.length; i += 3) {
      this.#answer(waiters[i]!, waiters[i + 1]!, WAITER_STATUS[waiters[i + 2]!] ?? 'INCLUDED', { shard, height })
    }
  }

  /** Transactions that will not be included. */
  dropped(drop: DropReport): void {
    const { status, waiters } = drop
    this.#kept.dropped(drop)
    for (let i = 0; i < waiters.length; i += 2) this.#answer(waiters[i]!, waiters[i + 1]!, status, null)
  }

  /** The shard took nothing of the batch. */
  failed(number: number, code: string, message: string): void {
    const batch = this.#batches.get(number)
    if (batch === undefined) return
    this.#batches.delete(number)
    // A shard whose next blocks use a module that its node lacks says MODULE_SET.
    const reason = code === 'SHARD_UNAVAILABLE' || code === 'MODULE_SET' ? 'SHARD_UNAVAILABLE' : 'DATABASE_UNAVAILABLE'
    for (const ticket of batch.tickets) {
      this.#kept.refused(ticket?.id ?? null)
      ticket?.settle(new SubmissionError(reason, message))
    }
  }

  /** The shard is down: what it had not answered waits until it is back. If it does not come back, that is told. */
  down(shard: string, comesBack: boolean): void {
    for (const [number, batch] of this.#batches) {
      if (batch.shard !== shard) continue
      if (comesBack) this.#batches.delete(number)
      else this.failed(number, 'SHARD_UNAVAILABLE', `shard ${shard} is down: try again in a moment`)
    }
    this.#kept.down(shard, comesBack, ({ realm, pathBits }) => this.#directory.at(realm, pathBits)?.host.id)
  }

  /** Shards run again: they get what was lost with their mempools, in the same order. */
  sendAgain(): void {
    const groups = new Map<Destination, Ticket[]>()
    for (const kept of this.#kept.homeless()) {
      const destination = this.#directory.at(kept.realm, kept.pathBits)
      if (destination?.host.status !== 'RUNNING') continue
      kept.shard = destination.host.id
      const tickets = kept.tickets.length === 0 ? [bareTicket(kept)] : kept.tickets
      const group = groups.get(destination)
      if (group === undefined) groups.set(destination, [...tickets])
      else group.push(...tickets)
    }
    for (const [destination, tickets] of groups) this.#sendAll(destination, tickets)
  }

  /**
   * A shard that was split off from `parent` takes over what that had not answered. It has got the pool of its parent
   * already, so that what was admitted there is known to it.
   */
  succeed(parent: string, child: Destination): void {
    const moved: Ticket[] = []
    for (const [number, batch] of this.#batches) {
      if (batch.shard !== parent) continue
      batch.tickets.forEach((ticket, index) => {
        if (ticket === undefined || this.#directory.at(batch.realm, ticket.pathBits) !== child) return
        this.#close(number, batch, index)
        moved.push(ticket)
      })
    }
    this.#kept.moved(parent, ({ realm, pathBits }) => this.#directory.at(realm, pathBits)?.host.id ?? parent)
    this.#sendAll(child, moved)
  }

  #sendAll(destination: Destination, tickets: readonly Ticket[]): void {
    for (let from = 0; from < tickets.length; from += MOVED_BATCH) {
      this.#send(destination, tickets.slice(from, from + MOVED_BATCH))
    }
  }

  #send({ host, space }: Destination, tickets: Ticket[]): void {
    this.#number = (this.#number + 1) % NUMBER_SPACE
    const number = this.#number
    const batch = pack(number, tickets)
    this.#batches.set(number, { shard: host.id, realm: space.realm, tickets, open: tickets.length })
    if (host.submit(batch)) return
    for (const ticket of tickets) this.#kept.unsent(ticket)
    this.failed(number, 'SHARD_UNAVAILABLE', `shard ${host.id} is not running now: try again in a moment`)
  }

  #answer(
    number: number,
    index: number,
    status: TransactionStatus,
    at: { shard: string; height: number } | null,
  ): void {
    const batch = this.#batches.get(number)
    const ticket = batch?.tickets[index]
    if (batch === undefined || ticket === undefined) return
    this.#close(number, batch, index)
    accept(ticket, status, at)
  }

  #close(number: number, batch: OpenBatch, index: number): void {
    batch.tickets[index] = undefined
    batch.open--
    if (batch.open === 0) this.#batches.delete(number)
  }
}

function pack(number: number, tickets: readonly Ticket[]): TransactionBatch {
  const ids = new Uint8Array(32 * tickets.length)
  let wait = false
  for (let i = 0; i < tickets.length; i++) {
    const { id, waits } = tickets[i]!
    if (id !== null) ids.set(id, 32 * i)
    wait ||= waits
  }
  return { batch: number, ids, ...packWires(tickets), wait }
}
