import { readFile } from 'node:fs/promises'
import type { Sql } from '../../plugin/sql.ts'
import { ConnectionError } from './connection-error.ts'
import type { Lane } from './lane.ts'
import { type Callable, callOf, isRawStatement, type RawStatement, watched } from './raw-statement.ts'

/**
 * The maker's function, whose statements are run elsewhere than on the maker's own connections.
 * @param replaced methods of its own
 */
export function running<F extends object>(
  maker: F,
  run: (statement: RawStatement) => void,
  replaced: Record<string, Callable>,
): F {
  const see = (made: unknown): unknown => {
    if (isRawStatement(made)) made.handler = run
    return made
  }
  const file = (made: unknown, path: unknown): unknown => {
    if (isRawStatement(made)) made.handler = () => void runFile(made, String(path), run)
    return made
  }
  return watched(maker, see, {
    file: (path, ...args) => file(callOf(maker, 'file')(path, ...args), path),
    ...replaced,
  })
}

async function runFile(statement: RawStatement, path: string, run: (statement: RawStatement) => void): Promise<void> {
  try {
    statement.strings = [await readFile(path, 'utf8')]
    run(statement)
  } catch (error) {
    statement.reject(error)
  }
}

/** Statements of one who has a connection for a time. Later ones are refused: the connection is another's then. */
export class LaneUse {
  readonly #lane: Lane
  readonly #what: string
  #isOver = false

  /** @param what they belong to, for messages */
  constructor(lane: Lane, what: string) {
    this.#lane = lane
    this.#what = what
  }

  readonly run = (statement: RawStatement): void => {
    if (this.#isOver) statement.reject(ended(this.#what))
    else this.#lane.run(statement)
  }

  end(): void {
    this.#isOver = true
  }
}

const ended = (what: string): ConnectionError =>
  new ConnectionError('TRANSACTION_ENDED', `the statement came after the end of the ${what} that it was made in`)

/** Runs a statement of the node's own on a connection. */
export function runOn(maker: Sql, run: (statement: RawStatement) => void, text: string): PromiseLike<unknown> {
  const statement = maker.unsafe(text)
  if (isRawStatement(statement)) statement.handler = run
  return statement
}
