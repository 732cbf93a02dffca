import { join } from 'node:path'
import { masterKeysOf } from '../auth/index.ts'
import { type ConfigFlags, loadConfig, type ResolvedConfig } from '../config.ts'
import { lockDataFolder } from '../db/data-lock.ts'
import { openDatabase } from '../db/database.ts'
import { codeOf, messageOf } from '../db/errors.ts'
import { readTrustedDocuments, type TrustedDocuments } from '../graphql/trusted-documents.ts'
import { admitPlugins, type CheckedPlugin } from '../host/check.ts'
import type { CopyWatch } from '../host/copies.ts'
import { loadPlugins } from '../host/load.ts'
import { type Node, startNode } from '../host/node.ts'
import { servedOf } from '../host/served.ts'
import { watchUncaught } from '../host/uncaught.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { openLog } from '../log.ts'
import { processMetrics } from '../metrics/index.ts'
import type { Log } from '../plugin.ts'
import type { Tracing } from '../tracing/index.ts'
import { running, starting } from './announcement.ts'
import { CommandError } from './command-error.ts'
import type { Streams } from './output.ts'
import { awaitStopRequest } from './stop-request.ts'

/** Exit code after a second Ctrl-C: 128 and the number of SIGINT. */
const IMPATIENT = 130
const LEAVE_WITHIN_MS = 3_000

/** Runs a node until it is asked to stop, then drains it. Throws whatever keeps it from starting. */
export async function runNode(flags: ConfigFlags, streams: Streams, copies: CopyWatch): Promise<void> {
  const config = await loadConfig(flags)
  const lock = lockDataFolder(config.dataDir)
  const logFile = join(config.dataDir, 'logs', 'deaios.log')
  const log = openLog({ file: logFile, level: config.logLevel, people: streams.err })
  let node: Node | undefined
  let plugins: readonly CheckedPlugin[] = []
  const unwatch = watchUncaught({
    log,
    onFatal: (error) => endOnCrash(error, log, streams),
    isFatal: (name) => plugins.find(({ definition }) => definition.name === name)?.definition.onUncaught === 'end',
    metrics: () => node?.metrics,
  })
  let tracing: Tracing | undefined
  const stop = awaitStopRequest(() => process.exit(IMPATIENT))
  try {
    const { documents } = config
    const trusted = documents && (await readTrustedDocuments(documents.trusted, documents.only === true))
    const loaded = await loadPlugins(config.plugins, config.file)
    plugins = admitPlugins(loaded.plugins, [...loaded.problems, ...copies.problems()])
    streams.out.write(starting(config, plugins))
    tracing = config.tracing && (await import('../tracing/otel-tracing.ts')).startTracing(config.tracing)
    node = await startNode({
      plugins,
      dataDir: config.dataDir,
      log,
      limits: config.limits,
      hostname: config.hostname,
      identity: config.identity,
      masterKeys: masterKeysOf(config),
      tracing,
      openDatabase: () => openDatabase({ dataDir: config.dataDir, url: config.databaseUrl, log }),
    })
    try {
      const server = await listen(config, node, { log, tracing, trusted })
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
    await tracing?.stop().catch((error: unknown) => log.warn({ error }, 'the last traces could not be sent'))
    unwatch()
    log.close()
    lock.release()
    leaveSoon(streams)
  }
}

/** What a plugin has left open must not keep the process: it ends by itself, or after this time. */
function leaveSoon({ err }: Streams): void {
  setTimeout(() => {
    err.write(`something was left open (${[...new Set(process.getActiveResourcesInfo())].join(', ')}); ending anyway\n`)
    process.exit()
  }, LEAVE_WITHIN_MS).unref()
}

async function listen(
  { port, hostname, limits, origins, metrics }: ResolvedConfig,
  node: Node,
  { log, tracing, trusted }: { log: Log; tracing: Tracing | undefined; trusted: TrustedDocuments | undefined },
): Promise<HttpServer> {
  try {
    return await createHttpServer({
      ...servedOf(node),
      log,
      port,
      hostname,
      limits,
      origins,
      tracing,
      metricsAccess: metrics.enabled ? { ...metrics, more: processMetrics() } : metrics,
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

/** An error that nobody caught, and nobody can be blamed for: the process ends, as by kill -9, and it is on record. */
function endOnCrash(error: unknown, log: Log, streams: Streams): void {
  log.error({ error }, 'an error that nobody caught; the node ends')
  streams.err.write(`INTERNAL: ${messageOf(error)}\n`)
  process.exit(1)
}
