import type { Sql } from '../../plugin/sql.ts'
import { Lanes, type LanesOptions } from './lanes.ts'
import { Listening } from './listening.ts'
import { type Callable, isCallable, type RawStatement } from './raw-statement.ts'
import { LaneUse, running } from './session-sql.ts'
import { transact } from './transaction.ts'

/**
 * A pool with the interface of postgres.js, over connections that are used by one statement, transaction or reservation
 * at a time, and never again after they have failed (`Lane` says why postgres.js is not left to do this).
 *
 * @param maker makes the statements; its own connections are never opened, but for cancelling
 */
export function poolOf(maker: Sql, options: Omit<LanesOptions, 'maker'>): Sql {
  const lanes = new Lanes({ ...options, maker })
  const listening = new Listening(maker, options)
  const run = (statement: RawStatement): void =>
    lanes.take(
      (lane) => {
        const give = (): void => lanes.give(lane)
        // It was given up while it waited, and has its answer.
        if (statement.cancelled === null) lane.run(statement, () => queueMicrotask(give))
        else give()
      },
      (error) => statement.reject(error),
    )
  const sql: Sql = running(maker, run, {
    begin: async (...args) => {
      const body = args.at(-1)
      if (!isCallable(body)) throw new TypeError('begin needs a function')
      return transact(maker, lanes, args.length > 1 ? String(args[0]) : '', body)
    },
    reserve: () => reserve(maker, lanes),
    listen: (channel, heard, listens) =>
      listening.listen(
        String(channel),
        (payload) => isCallable(heard) && heard(payload),
        () => isCallable(listens) && listens(),
      ),
    notify: async (channel, payload) => sql`select pg_notify(${String(channel)}, ${String(payload)})`,
    close: () => end(lanes, listening, null),
    end: (how) => end(lanes, listening, timeoutOf(how)),
  })
  return sql
}

async function reserve(maker: Sql, lanes: Lanes): Promise<unknown> {
  const lane = await lanes.lane()
  const use = new LaneUse(lane, 'reservation')
  let isReleased = false
  const release: Callable = () => {
    if (isReleased) return
    isReleased = true
    use.end()
    lanes.give(lane)
  }
  return running(maker, use.run, { release })
}

/** @param timeout seconds until what still runs is ended; null for never */
async function end(lanes: Lanes, listening: Listening, timeout: number | null): Promise<void> {
  const timer = timeout === null ? undefined : setTimeout(() => lanes.destroy(), timeout * 1000)
  try {
    await Promise.all([lanes.end(), listening.end()])
  } finally {
    clearTimeout(timer)
  }
}

function timeoutOf(how: unknown): number | null {
  const timeout = typeof how === 'object' && how !== null && 'timeout' in how ? how.timeout : null
  return typeof timeout === 'number' ? timeout : null
}
