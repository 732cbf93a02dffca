import { join } from 'node:path'
import { masterKeysOf } from '../auth/index.ts'
import { type ConfigFlags, loadConfig, type ResolvedConfig } from '../config.ts'
import { lockDataFolder } from '../db/data-lock.ts'
import { openDatabase } from '../db/database.ts'
import { codeOf, messageOf } from '../db/errors.ts'
import { readTrustedDocuments, type TrustedDocuments } from '../graphql/trusted-documents.ts'
import { checkPlugins } from '../host/check.ts'
import type { CopyWatch } from '../host/copies.ts'
import { loadPlugins } from '../host/load.ts'
import { type Node, startNode } from '../host/node.ts'
import { servedOf } from '../host/served.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { openLog, type RootLog } from '../log.ts'
import { running, starting } from './announcement.ts'
import { CommandError } from './command-error.ts'
import type { Streams } from './output.ts'
import { awaitStopRequest } from './stop-request.ts'

/** Exit code after a second Ctrl-C: 128 and the number of SIGINT. */
const IMPATIENT = 130

/** Runs a node until it is asked to stop, then drains it. Throws whatever keeps it from starting. */
export async function runNode(flags: ConfigFlags, streams: Streams, copies: CopyWatch): Promise<void> {
  const config = await loadConfig(flags)
  const lock = lockDataFolder(config.dataDir)
  const logFile = join(config.dataDir, 'logs', 'deaios.log')
  const log = openLog({ file: logFile, level: config.logLevel, people: streams.err })
  const crash = endOnCrash(log, streams)
  const stop = awaitStopRequest(() => process.exit(IMPATIENT))
  try {
    const { documents } = config
    const trusted = documents && (await readTrustedDocuments(documents.trusted, documents.only === true))
    const loaded = await loadPlugins(config.plugins, config.file)
    const plugins = checkPlugins(loaded.plugins, [...loaded.problems, ...copies.problems()])
    streams.out.write(starting(config, plugins))
    const node = await startNode({
      plugins,
      dataDir: config.dataDir,
      log,
      limits: config.limits,
      hostname: config.hostname,
      identity: config.identity,
      masterKeys: masterKeysOf(config),
      openDatabase: () => openDatabase({ dataDir: config.dataDir, url: config.databaseUrl, log }),
    })
    try {
      const server = await listen(config, node, log, trusted)
      const url = nearUrl(server, config.hostname)
      log.info({ url }, 'ready')
      streams.out.write(running(node, url, logFile))
      const why = await stop.requested
      log.info({ why }, 'stopping')
      streams.out.write(`\n${why}: finishing what is running; once more ends at once\n`)
      await server.close()
    } finally {
      await node.stop()
    }
    streams.out.write('stopped\n')
  } catch (error) {
    log.info({ error }, 'ended by an error')
    throw error
  } finally {
    stop.dispose()
    crash.dispose()
    log.close()
    lock.release()
  }
}

async function listen(
  { port, hostname, limits, origins }: ResolvedConfig,
  node: Node,
  log: RootLog,
  trusted: TrustedDocuments | undefined,
): Promise<HttpServer> {
  try {
    return await createHttpServer({
      ...servedOf(node),
      log,
      port,
      hostname,
      limits,
      origins,
      ...(trusted === undefined ? {} : { trusted }),
    })
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE')
      throw new CommandError(
        'PORT_TAKEN',
        `port ${port} is in use by another program; choose another with --port`,
        error,
      )
    if (['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EINVAL'].includes(codeOf(error) ?? ''))
      throw new CommandError('CANNOT_LISTEN', `cannot listen on ${hostname}:${port}: ${messageOf(error)}`, error)
    throw error
  }
}

/** The address as one would type it on this machine. */
const nearUrl = ({ url, port }: HttpServer, hostname: string): string =>
  ['127.0.0.1', '0.0.0.0', '::'].includes(hostname) ? `http://localhost:${port}/graphql` : url

/** An error that nobody caught leaves unknown state behind: it ends the process, as kill -9 would, and is on record. */
function endOnCrash(log: RootLog, streams: Streams): { dispose(): void } {
  const listener = (error: unknown): void => {
    log.error({ error }, 'an error that nobody caught; the node ends')
    streams.err.write(`INTERNAL: ${messageOf(error)}\n`)
    process.exit(1)
  }
  process.on('uncaughtException', listener)
  process.on('unhandledRejection', listener)
  return {
    dispose: () => {
      process.off('uncaughtException', listener)
      process.off('unhandledRejection', listener)
    },
  }
}
