import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, messageOf } from './errors.ts'
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
 * The parts of a query of postgres.js that its types leave out. Each statement is such an object; it is executed when
 * `handler` is called, and settled by `resolve` or `reject`.
 */
export interface RawStatement {
  handler(statement: RawStatement): unknown
  resolve(rows: unknown): void
  reject(error: unknown): void
  readonly canceller: ((statement: RawStatement) => Promise<unknown>) | null
  /** Whether the server is busy with it. */
  active: boolean
  readonly cursorFn?: unknown
  readonly streaming?: boolean
}

export const isRawStatement = (value: unknown): value is RawStatement =>
  value instanceof Promise && 'handler' in value && typeof value.handler === 'function' && 'canceller' in value

/**
 * Makes a statement end with the work that it is for.
 * @param slots what it waits in for its turn; undefined inside a transaction, which has a slot already
 */
export function endWithWork(statement: RawStatement, work: Work, slots: StatementSlots | undefined): void {
  const { handler } = statement
  statement.handler = () => {
    // These settle piece by piece; what reads them looks at the signal.
    if (statement.cursorFn !== undefined || statement.streaming === true) return handler(statement)
    work.statements++
    if (work.aborted) return statement.reject(new StatementCancelledError())
    return start(statement, handler, work, slots)
  }
}

function start(
  statement: RawStatement,
  handler: RawStatement['handler'],
  work: Work,
  slots: StatementSlots | undefined,
): void {
  const { resolve, reject } = statement
  let settled = false
  let repeats = 0
  const run = (): void => void handler(statement)
  const settle = (): void => {
    if (settled) return
    settled = true
    work.forget(cancel)
    slots?.release()
  }
  const cancel = (): void => {
    if (slots?.leave(run) === true) {
      settled = true
      return reject(new StatementCancelledError())
    }
    void cancelWhenActive(statement, () => settled)
  }
  statement.resolve = (rows) => {
    settle()
    resolve(rows)
  }
  statement.reject = (error) => {
    const isMistaken = !work.aborted && codeOf(error) === CANCELLED && /user request/.test(messageOf(error))
    if (isMistaken && slots !== undefined && repeats++ < MAX_REPEATS) {
      statement.active = false
      return run()
    }
    settle()
    reject(error)
  }
  work.remember(cancel)
  try {
    if (slots === undefined) run()
    else slots.take(run)
  } catch (error) {
    settled = true
    work.forget(cancel)
    reject(error)
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
