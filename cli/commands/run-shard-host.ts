import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HostServer } from '../../plugins/execution/hosting/host-server.ts'
import { secretIn } from '../../plugins/execution/hosting/secret.ts'
import { CHAIN_JOB } from '../../plugins/execution/leading/calls.ts'
import { sourcesOf } from '../../plugins/execution/ledger/load-modules.ts'
import { offeredModules } from '../../plugins/execution/replay/index.ts'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { awaitStopRequest } from '../../server/cli/stop-request.ts'
import { loadConfig } from '../../server/config.ts'
import { lockDataFolder } from '../../server/db/data-lock.ts'
import { type Database, openDatabase } from '../../server/db/database.ts'
import { codeOf, messageOf } from '../../server/db/errors.ts'
import { exclusively } from '../../server/db/exclusive.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../server/db/migrate.ts'
import { loadPlugins } from '../../server/host/load.ts'
import { openLog, type RootLog } from '../../server/log.ts'
import { leaseName } from '../../server/plugin.ts'
import { lines } from '../table.ts'
import type { ShardHostFlags } from './shard-host.ts'

/** The plugin whose shards it runs, and its schema. */
const EXECUTION = 'execution'
const MIGRATIONS = new URL('../../plugins/execution/migrations/', import.meta.url)
/** Exit code after a second Ctrl-C: 128 and the number of SIGINT. */
const IMPATIENT = 130

/** Runs a shard host until it is asked to stop. Throws whatever keeps it from starting. */
export async function runShardHost(flags: ShardHostFlags, streams: Streams): Promise<void> {
  const dataDir = resolve(flags.data)
  const url = await databaseUrl(flags)
  const config = await loadConfig(flags.config === undefined ? {} : { config: flags.config })
  const lock = lockDataFolder(dataDir)
  const log = openLog({
    file: join(dataDir, 'logs', 'shard-host.log'),
    level: config.logLevel,
    people: streams.err,
  })
  const stop = awaitStopRequest(() => process.exit(IMPATIENT))
  let database: Database | undefined
  try {
    const secretFile = resolve(flags.secretFile ?? join(dataDir, 'shard-host.secret'))
    const secret = await secretIn(secretFile)
    const { plugins } = await loadPlugins(config.plugins, config.file)
    database = await openDatabase({ dataDir, url, log })
    const core = database.sql(CORE_SCHEMA)
    await exclusively(core, async () => {
      await migrate(core, CORE_SCHEMA, CORE_MIGRATIONS)
      await migrate(core, EXECUTION, MIGRATIONS)
    })
    const server = await listen(flags, {
      sql: database.sql(EXECUTION),
      database: database.options(EXECUTION),
      modules: sourcesOf(offeredModules(plugins)),
      lease: leaseName(EXECUTION, CHAIN_JOB),
      log,
      secret,
    })
    try {
      streams.out.write(announcement(server.url, database, url === undefined, secretFile))
      log.info({ url: server.url }, 'ready')
      const why = await stop.requested
      streams.out.write(`\n${why}: finishing what is running; once more ends at once\n`)
    } finally {
      await server.close()
    }
    streams.out.write('stopped\n')
  } finally {
    stop.dispose()
    await database?.close()
    log.close()
    lock.release()
  }
}

/** The URL of its database; undefined for the embedded one. @throws CommandError */
async function databaseUrl({ database, databaseFile }: ShardHostFlags): Promise<string | undefined> {
  if (databaseFile === undefined) return database
  if (database !== undefined)
    throw new CommandError('DATABASE_TWICE', 'name the database with --database or with --database-file, not with both')
  try {
    return (await readFile(databaseFile, 'utf8')).trim()
  } catch (error) {
    throw new CommandError('DATABASE_FILE', `cannot read ${databaseFile} (${codeOf(error)}): name another file`, error)
  }
}

async function listen(
  { listen: { hostname, port } }: ShardHostFlags,
  parts: Omit<Parameters<typeof HostServer.open>[0], 'hostname' | 'port'> & { readonly log: RootLog },
): Promise<HostServer> {
  try {
    return await HostServer.open({ ...parts, hostname, port })
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE')
      throw new CommandError(
        'PORT_TAKEN',
        `port ${port} is in use by another program; choose another with --listen`,
        error,
      )
    throw new CommandError('CANNOT_LISTEN', `cannot listen on ${hostname}:${port}: ${messageOf(error)}`, error)
  }
}

/** Where it is, and what its nodes' configuration says of it. */
function announcement(url: string, database: Database, isEmbedded: boolean, secretFile: string): string {
  const { host, port, user, database: name } = database.options(EXECUTION)
  const embedded = `postgres://${encodeURIComponent(user)}@localhost:${port}/${name}?host=${encodeURIComponent(host)}`
  return [
    `${lines([
      ['database', `${database.where} (${database.version})`],
      ['secret file', secretFile],
    ])}\n`,
    '\n  In deaios.config.ts of the nodes:\n',
    "  execution({ shardHosts: [{ name: 'a-name', places: ['0:1'],\n",
    `    url: '${url}', secretFile: '${secretFile}',\n`,
    // A URL that was given may hold a password.
    `    database: ${isEmbedded ? `'${embedded}'` : 'process.env.SHARD_HOST_DATABASE'} }] })\n\n`,
    `ready ${url}\n`,
  ].join('')
}
