/** A shard host in this process, on a database of its own, for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORE_MIGRATIONS, migrate } from '../../../server/db/migrate.ts'
import { silentLog } from '../../../server/log.ts'
import type { DatabaseOptions, Log, Sql } from '../../../server/plugin.ts'
import { createTestDatabase } from '../../../server/testing/index.ts'
import type { ShardHostConfig } from '../config.ts'
import { type ModuleSource, sourcesOf } from '../ledger/load-modules.ts'
import { account } from '../modules/account.ts'
import { faucet } from '../modules/faucet.ts'
import { SYSTEM_MODULES } from '../modules/system.ts'
import { HostServer } from './host-server.ts'
import { secretIn } from './secret.ts'

const LEASE = 'execution/chain'

/** A shard host that a test can stop and start again. */
export interface TestShardHost {
  readonly sql: Sql
  readonly secret: string
  /** As a node has it; its URL is that of the last start. */
  readonly config: ShardHostConfig
  start(): Promise<void>
  stop(): Promise<void>
  close(): Promise<void>
}

/** As one writes it into deaios.config.ts. */
export const urlOf = ({ host, port, user, database }: DatabaseOptions): string =>
  `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`

export interface TestShardHostOptions {
  readonly places?: readonly string[]
  readonly modules?: readonly ModuleSource[]
  readonly log?: Log
  /** Where leaders are told to find it, if another address than its own. */
  readonly url?: string
}

/** Starts one that takes the right half of realm 0, if nothing else is said. */
export async function createTestShardHost(options: TestShardHostOptions = {}): Promise<TestShardHost> {
  const { places = ['0:1'], modules = sourcesOf([account, faucet, ...SYSTEM_MODULES]), log = silentLog } = options
  const folder = await mkdtemp(join(tmpdir(), 'deaios-shard-host-'))
  const secretFile = join(folder, 'secret')
  const secret = await secretIn(secretFile)
  const opened = await createTestDatabase()
  const database = await opened.open()
  await migrate(database.sql('core'), 'core', CORE_MIGRATIONS)
  await migrate(database.sql('core'), 'execution', new URL('../migrations/', import.meta.url))
  const sql = database.sql('execution')
  let port = 0
  const open = () =>
    HostServer.open({ sql, database: database.options('execution'), modules, lease: LEASE, log, secret, port })
  let server: HostServer | undefined = await open()
  const { url } = server
  // It comes back where it was.
  port = Number(new URL(url).port)
  const stop = async (): Promise<void> => {
    await server?.close()
    server = undefined
  }
  return {
    sql,
    secret,
    config: {
      name: 'other',
      url: options.url ?? url,
      secretFile,
      database: urlOf(opened.options),
      places: [...places],
    },
    async start() {
      server ??= await open()
    },
    stop,
    async close() {
      await stop()
      await database.close()
      await opened.drop()
      await rm(folder, { recursive: true })
    },
  }
}
