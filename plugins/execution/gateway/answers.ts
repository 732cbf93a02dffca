import type { SubmitOutcome } from '../api.ts'
import { SubmissionError } from './errors.ts'
import { accept, type Ticket } from './ticket.ts'

/**
 * The answers to one submission, until it is answered: from then on they keep nothing. The ticket of a transaction that
 * waits in a mempool may outlive the submission by far, and must not hold all that came with it.
 */
export class Answers {
  #open: number
  /** By place in the submission. */
  #outcomes: (SubmitOutcome | undefined)[]
  #tickets: Ticket[] = []
  #resolve: ((outcomes: SubmitOutcome[]) => void) | undefined
  #reject: ((error: SubmissionError) => void) | undefined

  /**
   * Exactly one of the two is called, once.
   * @param resolve gets one outcome for each, in order
   * @param reject gets why one of them could not be looked at
   */
  constructor(count: number, resolve: (outcomes: SubmitOutcome[]) => void, reject: (error: SubmissionError) => void) {
    this.#open = count
    this.#outcomes = new Array(count).fill(undefined)
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The ticket of the next transaction. `waits`: it is answered when it is in a block, not when a pool has it. */
  ticket(wire: Uint8Array, waits: boolean): Ticket {
    const place = this.#tickets.length
    const settle = (outcome: SubmitOutcome | SubmissionError): void => this.#settle(place, outcome)
    const ticket = { wire, waits, id: null, duplicate: false, pathBits: 0, isAdmitted: false, settle }
    this.#tickets.push(ticket)
    return ticket
  }

  /** Answers with what is known. */
  readonly asItStands = (): void => {
    for (const [place, ticket] of this.#tickets.entries()) {
      if (this.#outcomes[place] !== undefined) continue
      if (ticket.id === null) ticket.settle(new SubmissionError('OVERLOADED', 'not checked in time: submit again'))
      else accept(ticket, 'PENDING', null)
    }
  }

  #settle(place: number, outcome: SubmitOutcome | SubmissionError): void {
    const [resolve, reject] = [this.#resolve, this.#reject]
    if (outcome instanceof SubmissionError) {
      this.#forget()
      reject?.(outcome)
    } else if (resolve !== undefined && this.#outcomes[place] === undefined) {
      this.#outcomes[place] = outcome
      this.#open--
      if (this.#open > 0) return
      const outcomes = this.#outcomes.filter((known) => known !== undefined)
      this.#forget()
      resolve(outcomes)
    }
  }

  #forget(): void {
    this.#resolve = undefined
    this.#reject = undefined
    this.#outcomes = []
    this.#tickets = []
  }
}
