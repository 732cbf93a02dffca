import type { Sql } from '../../../server/plugin.ts'
import type { ShardDatabases } from './shard-databases.ts'

/** What a shard host's database has to answer within, in milliseconds: it must not hold up what is asked of the others. */
const ANSWER_MS = 5_000

/** What one of them may be asked at a time: what is given up on after that time still waits for it. */
export const MAX_ASKED = 1_000

/** How much each is asked now. */
const asked = new WeakMap<Sql, number>()

/** SQLSTATEs of a database whose shard host was never started: no such table, schema or database. */
const NOT_SET_UP = new Set(['42P01', '3F000', '3D000'])

/** The database of a shard host did not answer. */
export class HostDatabaseError extends Error {
  override readonly name = 'HostDatabaseError'
  /** As clients are told of the node's own. */
  readonly code = 'CONNECT_TIMEOUT'
}

/** Asks one of the databases; another than the node's own only for so long. */
export async function askOne<T>({ main }: ShardDatabases, sql: Sql, ask: (sql: Sql) => Promise<T>): Promise<T> {
  if (sql === main) return ask(sql)
  const waiting = asked.get(sql) ?? 0
  if (waiting >= MAX_ASKED)
    throw new HostDatabaseError(`the database of a shard host has ${waiting} questions to answer: ask again later`)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new HostDatabaseError(`the database of a shard host did not answer within ${ANSWER_MS / 1000} s`)
    timer = setTimeout(() => reject(error), ANSWER_MS)
  })
  try {
    return await Promise.race([counted(sql, ask), late])
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NOT_SET_UP.has(String(error.code)))) throw error
    throw new HostDatabaseError('the database of a shard host is not set up yet: start that first', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

async function counted<T>(sql: Sql, ask: (sql: Sql) => Promise<T>): Promise<T> {
  asked.set(sql, (asked.get(sql) ?? 0) + 1)
  try {
    return await ask(sql)
  } finally {
    asked.set(sql, (asked.get(sql) ?? 1) - 1)
  }
}

/** Asks each shard's own database; the answers come in the order of the questions. */
export async function askByShard<Question extends { readonly shard: string }, Answer>(
  databases: ShardDatabases,
  questions: readonly Question[],
  ask: (sql: Sql, questions: readonly Question[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  if (databases.all.length === 1) return ask(databases.main, questions)
  const homes = await Promise.all(questions.map(({ shard }) => databases.of(shard)))
  const answers: Answer[] = []
  await Promise.all(
    [...new Set(homes)].map(async (sql) => {
      const indexes = homes.flatMap((home, index) => (home === sql ? [index] : []))
      const asked = indexes.flatMap((index) => questions[index] ?? [])
      const found = await askOne(databases, sql, (one) => ask(one, asked))
      indexes.forEach((index, at) => {
        const answer = found[at]
        if (answer !== undefined) answers[index] = answer
      })
    }),
  )
  return answers
}

/**
 * Asks all databases for what one of them has at most. A database that is away matters only if something is missing.
 * @throws its error then
 */
export async function askAll<Answer>(
  databases: ShardDatabases,
  count: number,
  ask: (sql: Sql) => Promise<readonly (Answer | null)[]>,
): Promise<(Answer | null)[]> {
  const asked = await Promise.allSettled(databases.all.map((sql) => askOne(databases, sql, ask)))
  const found = new Array<Answer | null>(count).fill(null)
  let failure: unknown
  for (const result of asked) {
    if (result.status === 'rejected') failure ??= result.reason
    else
      result.value.forEach((answer, i) => {
        found[i] ??= answer
      })
  }
  if (failure !== undefined && found.includes(null)) throw failure
  return found
}

/** The first `limit` rows of all databases, each of which gives its own first ones in the same order. */
export async function mergeAll<Row>(
  databases: ShardDatabases,
  limit: number,
  compare: (a: Row, b: Row) => number,
  read: (sql: Sql) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (databases.all.length === 1) return read(databases.main)
  const pages = await Promise.all(databases.all.map((sql) => askOne(databases, sql, read)))
  return pages.flat().sort(compare).slice(0, limit)
}

/** Compares keys of a page, number by number and text by text, as the database does (`COLLATE "C"`). */
export function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [i, one] of a.entries()) {
    const other = b[i] ?? 0
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
