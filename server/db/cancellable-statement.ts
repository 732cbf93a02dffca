import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, messageOf } from './errors.ts'
import type { RawStatement } from './pool/raw-statement.ts'
import type { StatementSlots } from './statement-slots.ts'
import type { Work } from './work.ts'

/** SQLSTATE of a statement that was cancelled. It had no effect. */
export const CANCELLED = '57014'
/** How often a statement is run again that a cancellation hit which was meant for the one before it. */
const MAX_REPEATS = 3
const POLL_MS = 10

/** Work was given up before its statement, or transaction, was sent. */
export class StatementCancelledError extends Error {
  override readonly name = 'StatementCancelledError'
  readonly code = CANCELLED

  constructor() {
    super('the statement was not sent: whoever needed it has been given up')
  }
}

/**
 * Gives a statement its turn, and lets it end with the work that it is for.
 * @param work undefined for what the node does by itself
 * @param slots what it waits in; undefined inside a transaction, which has a slot already
 */
export function takeTurns(statement: RawStatement, work: Work | undefined, slots: StatementSlots | undefined): void {
  const { handler } = statement
  statement.handler = () => {
    // These settle piece by piece; what reads them looks at the signal.
    if (statement.cursorFn !== undefined || statement.streaming === true) return handler(statement)
    if (work !== undefined) {
      work.statements++
      if (work.aborted) return statement.reject(new StatementCancelledError())
    }
    return new Turn(statement, handler, work, slots).take()
  }
}

/** A statement on its way, from its turn to its end. */
class Turn {
  readonly #statement: RawStatement
  readonly #handler: RawStatement['handler']
  readonly #work: Work | undefined
  readonly #slots: StatementSlots | undefined
  readonly #reject: RawStatement['reject']
  #settled = false
  #repeats = 0

  constructor(
    statement: RawStatement,
    handler: RawStatement['handler'],
    work: Work | undefined,
    slots: StatementSlots | undefined,
  ) {
    this.#statement = statement
    this.#handler = handler
    this.#work = work
    this.#slots = slots
    const { resolve, reject } = statement
    this.#reject = reject
    statement.resolve = (rows) => {
      this.#settle()
      resolve(rows)
    }
    statement.reject = (error) => {
      if (this.#isMistaken(error)) return queueMicrotask(this.#run)
      this.#settle()
      reject(error)
    }
  }

  take(): void {
    this.#work?.remember(this.#cancel)
    try {
      if (this.#slots === undefined) this.#run()
      else this.#slots.take(this.#run, this.#work !== undefined)
    } catch (error) {
      this.#settled = true
      this.#work?.forget(this.#cancel)
      this.#reject(error)
    }
  }

  readonly #run = (): void => {
    this.#statement.active = false
    this.#handler(this.#statement)
  }

  readonly #cancel = (): void => {
    if (this.#slots?.leave(this.#run) === true) {
      this.#settled = true
      this.#reject(new StatementCancelledError())
    } else void cancelWhenActive(this.#statement, () => this.#settled)
  }

  /** Whether a cancellation hit this statement which was meant for the one before it on the connection. */
  #isMistaken(error: unknown): boolean {
    if (codeOf(error) !== CANCELLED || this.#work?.aborted === true || this.#slots === undefined) return false
    return /user request/.test(messageOf(error)) && this.#repeats++ < MAX_REPEATS
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    this.#work?.forget(this.#cancel)
    const slots = this.#slots
    // The connection is free only when the one who has settled this has returned.
    if (slots !== undefined) queueMicrotask(() => slots.release(this.#work !== undefined))
  }
}

/**
 * Asks the server to stop. postgres.js loses count of a connection's answers if a statement is cancelled before the
 * server is busy with it, so that is waited for; a statement waits for a new connection at most.
 */
async function cancelWhenActive(statement: RawStatement, isSettled: () => boolean): Promise<void> {
  while (!isSettled() && !statement.active) await sleep(POLL_MS)
  if (isSettled()) return
  // If the server cannot be reached for that, the statement fails by itself.
  await statement.canceller?.(statement).catch(() => undefined)
}
