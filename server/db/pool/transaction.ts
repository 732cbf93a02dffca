import type { Sql } from '../../plugin/sql.ts'
import { codeOf } from '../errors.ts'
import { ConnectionError } from './connection-error.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { type Callable, isCallable, type RawStatement } from './raw-statement.ts'
import { LaneUse, running, runOn } from './session-sql.ts'

/** SQLSTATE of a statement behind one that failed: the first one says why. */
const IN_FAILED_TRANSACTION = '25P02'

/**
 * Runs a transaction on a connection of its own, as `begin` of postgres.js: rolled back if the body throws, or if one of
 * its statements has failed, also one whose error was caught.
 *
 * @param mode what stands behind BEGIN, like `isolation level serializable`
 * @throws what failed first; the connection's error as soon as it ends
 */
export async function transact(maker: Sql, lanes: Lanes, mode: string, body: Callable): Promise<unknown> {
  const lane = await lanes.lane()
  const use = new LaneUse(lane, 'transaction')
  const lost = Promise.withResolvers<never>()
  // It may be lost before anybody waits for that.
  lost.promise.catch(() => undefined)
  const forget = lane.remember(lost.reject)
  try {
    await runOn(maker, use.run, `begin ${mode.replaceAll(/[^a-z ]/gi, '')}`)
    return await Promise.race([new Scope(maker, lane, use).play(body), lost.promise])
  } finally {
    forget()
    use.end()
    lanes.give(lane)
  }
}

/** Gives the only user of a connection its statements. */
class Scope {
  readonly #maker: Sql
  readonly #lane: Lane
  readonly #use: LaneUse
  #savepoints = 0

  constructor(maker: Sql, lane: Lane, use: LaneUse) {
    this.#maker = maker
    this.#lane = lane
    this.#use = use
  }

  /** @param savepoint its name; undefined for the transaction itself */
  async play(body: Callable, savepoint?: string): Promise<unknown> {
    /** The first error of its statements, if any. */
    const failed: { readonly error: unknown }[] = []
    const run = (statement: RawStatement): void => {
      if (statement instanceof Promise)
        statement.catch((error: unknown) => {
          if (failed.length === 0) failed.push({ error })
        })
      this.#use.run(statement)
    }
    const name = savepoint === undefined ? undefined : quoted(savepoint)
    if (name !== undefined) await this.#do(`savepoint ${name}`)
    let result: unknown
    try {
      const made = await body(running(this.#maker, run, { savepoint: this.#savepoint, prepare: unprepared }))
      result = Array.isArray(made) ? await Promise.all(made) : made
      for (const { error } of failed) throw error
    } catch (error) {
      if (this.#lane.error === undefined) await this.#do(name === undefined ? 'rollback' : `rollback to ${name}`)
      throw codeOf(error) === IN_FAILED_TRANSACTION ? (failed[0]?.error ?? error) : error
    }
    if (name === undefined && commandOf(await this.#do('commit')) !== 'COMMIT')
      // A statement that the body did not wait for has failed meanwhile: the server rolls back then, and says no more.
      throw (
        failed[0]?.error ?? new ConnectionError('ROLLED_BACK', 'the transaction was rolled back instead of committed')
      )
    return result
  }

  readonly #savepoint = (...args: readonly unknown[]): Promise<unknown> => {
    const [name, body] = args.length === 1 ? [undefined, args[0]] : args
    if (!isCallable(body)) throw new TypeError('savepoint needs a function')
    const suffix = name === undefined ? '' : `_${String(name)}`
    return this.play(body, `s${this.#savepoints++}${suffix}`)
  }

  /** What ends or begins a part of it: if that fails, nobody knows the state of the connection. */
  async #do(text: string): Promise<unknown> {
    try {
      return await runOn(this.#maker, this.#use.run, text)
    } catch (error) {
      if (text === 'rollback' && error instanceof Error) this.#lane.destroy(error)
      throw error
    }
  }
}

/** What the server says that it did. */
const commandOf = (answer: unknown): unknown =>
  typeof answer === 'object' && answer !== null && 'command' in answer ? answer.command : undefined

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const unprepared = (): never => {
  throw new TypeError('transactions in two phases are not offered')
}
