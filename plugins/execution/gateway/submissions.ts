import { type Log, pause } from '../../../server/plugin.ts'
import type { SubmitOutcome, TransactionState, Wait } from '../api.ts'
import type { Directory } from '../fleet/shard-map.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { VerifierPool } from '../verify/pool.ts'
import { Answers } from './answers.ts'
import { Batcher } from './batcher.ts'
import { SubmissionError } from './errors.ts'
import { ANSWER_MS, OpenSubmission, OpenSubmissions } from './open-submissions.ts'
import { type Destination, type LateTicket, Router } from './router.ts'
import { isFinal, type TransactionStates } from './states.ts'
import { accept, refuse } from './ticket.ts'
import type { TransactionWatch } from './watch.ts'

/** Takes signed transactions from clients to their shards, and the answers back. */
export class Submissions {
  readonly router: Router
  readonly #batcher: Batcher
  readonly #states: TransactionStates
  readonly #watch: TransactionWatch
  readonly #log: Log
  readonly #refusal: () => SubmissionError | undefined
  /** Submissions that come late: they may be repeats of included ones. Looked up together. */
  #repeats: LateTicket[] = []
  readonly #open = new OpenSubmissions()

  constructor(parts: {
    readonly pool: VerifierPool
    readonly directory: Directory<Destination>
    readonly states: TransactionStates
    readonly watch: TransactionWatch
    readonly log: Log
    /** Why nothing is taken now, if so. */
    readonly refusal?: () => SubmissionError | undefined
  }) {
    this.#states = parts.states
    this.#watch = parts.watch
    this.#log = parts.log
    this.#refusal = parts.refusal ?? (() => undefined)
    this.router = new Router(parts.directory, parts.states.kept, (late) => this.#repeat(late))
    this.#batcher = new Batcher(parts.pool, (tickets, response) => this.router.route(tickets, response))
  }

  /**
   * One outcome for each transaction, in order.
   * @throws SubmissionError if some could not be looked at. Submitting all of them again is safe.
   */
  async submit(wires: readonly Uint8Array[], wait: Wait, signal?: AbortSignal): Promise<SubmitOutcome[]> {
    if (wires.length === 0) return []
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    const own = new OpenSubmission(wires)
    this.#open.enter(own)
    if (signal?.aborted === true) own.hurry()
    else signal?.addEventListener('abort', own.hurry, { once: true })
    try {
      const included = await this.#submitted(wires, wait !== 'NONE', own)
      return wait === 'EXECUTED' ? await this.#executed(included, own) : included
    } finally {
      signal?.removeEventListener('abort', own.hurry)
      this.#open.leave(own)
    }
  }

  #submitted(wires: readonly Uint8Array[], waits: boolean, own: OpenSubmission): Promise<SubmitOutcome[]> {
    return new Promise((resolve, reject) => {
      const answers = new Answers(wires.length, resolve, reject)
      const tickets = wires.map((wire) => answers.ticket(wire, waits))
      // What throws here rejects.
      this.#batcher.add(tickets)
      if (own.isHurried) answers.asItStands()
      else own.onHurry(answers.asItStands)
    })
  }

  /** Waits for the messages of included transactions in other shards. All are looked up together. */
  async #executed(outcomes: readonly SubmitOutcome[], own: OpenSubmission): Promise<SubmitOutcome[]> {
    const answers = [...outcomes]
    const done = new AbortController()
    if (own.isHurried) done.abort()
    else own.onHurry(() => done.abort())
    let open = 0
    const take = (place: number, { status, at }: TransactionState): void => {
      const before = answers[place]
      if (before?.kind !== 'accepted' || isFinal(before.status)) return
      answers[place] = { ...before, status, at }
      if (isFinal(status)) open--
      if (open === 0) done.abort()
    }
    const watched: { readonly id: Uint8Array; readonly place: number; readonly end: () => void }[] = []
    try {
      for (const [place, outcome] of outcomes.entries()) {
        if (outcome.kind === 'refused' || isFinal(outcome.status)) continue
        open++
        const end = this.#watch.listen(outcome.id, (state) => take(place, state))
        watched.push({ id: outcome.id, place, end })
      }
      if (open === 0) return answers
      const over = pause(ANSWER_MS, done.signal)
      const look = async (): Promise<void> => {
        const present = await this.#states.find(watched.map(({ id }) => id))
        for (const [i, { place }] of watched.entries()) {
          const state = present[i]
          if (state !== null && state !== undefined) take(place, state)
        }
        await over
      }
      // Whoever left, or was hurried, is not waited for; the time of all others ends in the same way, whether the
      // databases answer or not.
      await Promise.race([over, look()])
      return answers
    } finally {
      done.abort()
      for (const { end } of watched) end()
    }
  }

  /** To be late is an error, unless these very bytes are in a block: then it is the same payment, made once. */
  #repeat(late: LateTicket): void {
    if (this.#repeats.length === 0) setImmediate(() => void this.#findRepeats())
    this.#repeats.push(late)
  }

  async #findRepeats(): Promise<void> {
    const late = this.#repeats
    this.#repeats = []
    try {
      const found = await this.#states.included(late.map(({ ticket }) => ticket.id ?? new Uint8Array(32)))
      for (const { ticket, code, message } of late) {
        const state = ticket.id === null ? undefined : found.get(idKey(ticket.id))
        if (state === undefined) refuse(ticket, code, message)
        else {
          // Of one that a shard had taken before it was split, the block may come before the child's answer.
          if (!ticket.isAdmitted) ticket.duplicate = true
          accept(ticket, state.status, state.at)
        }
      }
    } catch (error) {
      this.#log.warn({ error: String(error) }, 'repeated submissions cannot be looked up')
      for (const { ticket } of late) {
        ticket.settle(new SubmissionError('DATABASE_UNAVAILABLE', 'the database is away: submit the same bytes again'))
      }
    }
  }
}
