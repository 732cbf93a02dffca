import { openDatabase } from '../../server/db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../server/db/migrate.ts'
import { silentLog } from '../../server/log.ts'
import type { DatabaseOptions, Sql } from '../../server/plugin/sql.ts'
import type { Bench } from '../benchmark.ts'

/** A Postgres of the benchmark's own, as durable as a node's. */
export async function openStore(bench: Bench): Promise<{ readonly sql: Sql; readonly database: DatabaseOptions }> {
  const opened = await openDatabase({ dataDir: bench.folder(), log: silentLog })
  bench.scope.defer(() => opened.close())
  const sql = opened.sql(CORE_SCHEMA)
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
  return { sql, database: opened.options(CORE_SCHEMA) }
}
