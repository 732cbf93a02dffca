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
