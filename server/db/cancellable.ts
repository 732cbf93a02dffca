import type { Sql } from '../plugin/sql.ts'
import { StatementCancelledError, takeTurns } from './cancellable-statement.ts'
import { type Callable, callOf, isCallable, isRawStatement, watched } from './pool/raw-statement.ts'
import type { StatementSlots } from './statement-slots.ts'
import { currentWork, type Work } from './work.ts'

/**
 * The same pool, whose statements end with the work that they are for: when a request's time is up or its client is
 * gone, the database stops too, and its transactions are rolled back. Nobody has to think of it: the work is known from
 * where the statement is made (`work.ts`).
 *
 * A cancellation goes to a connection, and hits whatever runs there. So each statement has one to itself: there are as
 * many slots as connections, and all who use the pool take turns here.
 */
export function cancellable(sql: Sql, slots: StatementSlots): Sql {
  const begin = async (...args: readonly unknown[]): Promise<unknown> => {
    const work = currentWork()
    const body = args.at(-1)
    if (!isCallable(body)) return callOf(sql, 'begin')(...args)
    await turn(work, slots)
    try {
      return await callOf(sql, 'begin')(...args.slice(0, -1), (tx: Callable) =>
        body(work === undefined ? tx : withinTransaction(tx, work)),
      )
    } finally {
      slots.release(work !== undefined)
    }
  }
  return watched(sql, (made) => turned(made, currentWork(), slots), { begin })
}

/** A transaction whose statements are cancelled with the work. The pool's slot is held by the transaction. */
function withinTransaction(tx: Callable, work: Work): Callable {
  const savepoint = (...args: readonly unknown[]): unknown => {
    const body = args.at(-1)
    if (!isCallable(body)) return callOf(tx, 'savepoint')(...args)
    return callOf(tx, 'savepoint')(...args.slice(0, -1), (inner: Callable) => body(withinTransaction(inner, work)))
  }
  return watched(tx, (made) => turned(made, work, undefined), { savepoint })
}

function turned(made: unknown, work: Work | undefined, slots: StatementSlots | undefined): unknown {
  if (isRawStatement(made)) takeTurns(made, work, slots)
  return made
}

/** Resolves when there is a slot, and rejects when the work is given up before. */
function turn(work: Work | undefined, slots: StatementSlots): Promise<void> {
  if (work?.aborted === true) return Promise.reject(new StatementCancelledError())
  return new Promise((resolve, reject) => {
    const start = (): void => {
      work?.forget(cancel)
      resolve()
    }
    const cancel = (): void => {
      if (slots.leave(start)) reject(new StatementCancelledError())
    }
    slots.take(start, work !== undefined)
    if (slots.isWaiting(start)) work?.remember(cancel)
  })
}
