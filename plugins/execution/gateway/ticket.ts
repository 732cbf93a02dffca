import type { RefusalCode, SubmitOutcome, TransactionStatus } from '../api.ts'
import { REFUSAL_MESSAGES } from '../refusals.ts'
import type { SubmissionError } from './errors.ts'

/** One transaction of a submission on its way to an answer. */
export interface Ticket {
  readonly wire: Uint8Array
  readonly waits: boolean
  id: Uint8Array | null
  duplicate: boolean
  /** The first 32 bits of the path of the sender's cell, once it is verified. */
  pathBits: number
  /** A shard has it in its pool. */
  isAdmitted: boolean
  /** Called once. */
  readonly settle: (outcome: SubmitOutcome | SubmissionError) => void
}

/** Answers that it was taken. */
export function accept(ticket: Ticket, status: TransactionStatus, at: { shard: string; height: number } | null): void {
  ticket.settle({ kind: 'accepted', id: ticket.id ?? new Uint8Array(0), duplicate: ticket.duplicate, status, at })
}

/** Answers that it was not taken. */
export function refuse(ticket: Ticket, code: RefusalCode, message?: string): void {
  ticket.settle({ kind: 'refused', id: ticket.id, code, message: message ?? REFUSAL_MESSAGES[code] })
}

/** The wire bytes of tickets one after the other, and how long each is: as verifiers and shards take them. */
export function packWires(tickets: readonly Ticket[]): {
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly data: Uint8Array<ArrayBuffer>
} {
  // Plain loops: this runs twice for each transaction on the main thread, and a function for each item shows.
  const lengths = new Uint32Array(tickets.length)
  let total = 0
  for (let i = 0; i < tickets.length; i++) {
    const { length } = tickets[i]!.wire
    lengths[i] = length
    total += length
  }
  const data = new Uint8Array(total)
  let at = 0
  for (let i = 0; i < tickets.length; i++) {
    data.set(tickets[i]!.wire, at)
    at += lengths[i]!
  }
  return { lengths, data }
}
