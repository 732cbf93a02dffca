import { cancellable } from '../db/cancellable.ts'
import { type Database, POOL_SIZE } from '../db/database.ts'
import { StatementSlots } from '../db/statement-slots.ts'
import type { Limits } from '../graphql/limits.ts'
import type { Metrics } from '../plugin/metrics.ts'
import type { Sql } from '../plugin/sql.ts'

/** Connections that requests leave to what the plugin does by itself. */
const KEPT = 2

/**
 * Gives a plugin its pool: that of its schema, with statements that end with the request which they are for.
 * @param database asked each time, because a plugin's host is there before the database
 */
export function pluginPool(
  database: () => Database,
  plugin: string,
  limits: Limits,
  metrics: (plugin: string) => Metrics,
): () => Sql {
  const makeSlots = () =>
    new StatementSlots({
      slots: POOL_SIZE,
      forWork: POOL_SIZE - KEPT,
      maxWaiting: limits.waitingStatements,
    })
  let made: { readonly pool: Sql; readonly sql: Sql } | undefined
  let slots: StatementSlots | undefined
  const measure = (): void => {
    metrics(plugin).gauge({
      name: 'sql_running_count',
      help: 'SQL statements that run in the pool of the plugin.',
      read: () => slots?.busy ?? 0,
    })
    metrics(plugin).gauge({
      name: 'sql_waiting_count',
      help: 'SQL statements that wait for a connection of the plugin.',
      read: () => slots?.waiting ?? 0,
    })
  }
  return () => {
    const pool = database().sql(plugin)
    if (made?.pool !== pool) {
      if (slots === undefined) measure()
      slots = makeSlots()
      made = { pool, sql: cancellable(pool, slots) }
    }
    return made.sql
  }
}
