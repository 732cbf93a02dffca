import { MAX_TRANSACTION_BYTES } from '../../../protocol/index.ts'
import type { VerifierPool, VerifyResponse } from '../verify/pool.ts'
import { SubmissionError } from './errors.ts'
import { packWires, refuse, type Ticket } from './ticket.ts'

/** Transactions in one message to a verifier: large enough to be cheap, small enough to share among threads. */
const BATCH = 128
/** Transactions that may wait for a verifier. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/**
 * Gathers submissions of many requests into batches for the verifiers. While a verifier is free nothing waits; while all
 * are busy submissions come together, so that single ones cost little more than a batch does.
 */
export class Batcher {
  readonly #pool: VerifierPool
  readonly #onVerified: (tickets: readonly Ticket[], response: VerifyResponse) => void
  #waiting: Ticket[] = []
  #bytes = 0
  #scheduled = false

  constructor(pool: VerifierPool, onVerified: (tickets: readonly Ticket[], response: VerifyResponse) => void) {
    this.#pool = pool
    this.#onVerified = onVerified
  }

  /** @throws SubmissionError OVERLOADED if too many wait already; none of them was taken then. */
  add(tickets: readonly Ticket[]): void {
    const bytes = tickets.reduce((sum, ticket) => sum + ticket.wire.length, 0)
    if (this.#waiting.length + tickets.length > MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) {
      throw new SubmissionError('OVERLOADED', 'too many transactions wait to be checked: try again in a second')
    }
    for (const ticket of tickets) {
      if (ticket.wire.length > MAX_TRANSACTION_BYTES) refuse(ticket, 'TOO_LARGE')
      else {
        this.#waiting.push(ticket)
        this.#bytes += ticket.wire.length
      }
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return
    this.#scheduled = true
    // After the events of this turn: requests that arrived together travel together.
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && (this.#pool.hasIdle || this.#waiting.length >= BATCH)) {
      const tickets = this.#waiting.splice(0, BATCH)
      void this.#verify(tickets)
    }
  }

  async #verify(tickets: readonly Ticket[]): Promise<void> {
    const { lengths, data } = packWires(tickets)
    this.#bytes -= data.length
    try {
      this.#onVerified(tickets, await this.#pool.verify(lengths, data))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      for (const ticket of tickets) ticket.settle(new SubmissionError('VERIFIER_CRASHED', message))
    }
    this.#schedule()
  }
}
