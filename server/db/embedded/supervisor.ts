import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../plugin/host.ts'
import type { DatabaseOptions } from '../../plugin/sql.ts'
import { connect } from '../connect.ts'
import { codeOf, DatabaseError, messageOf } from '../errors.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { CLUSTER_PORT, CLUSTER_USER, prepareCluster, socketFolder } from './cluster.ts'
import { postGuardian } from './guardian.ts'
import { findIdentity, type Identity } from './identity.ts'
import { endOrphans } from './orphans.ts'
import { postgresSettings } from './settings.ts'

/** Recovery after a crash replays up to max_wal_size; that long we wait. */
const READY_WITHIN_MS = 300_000
const STOP_WITHIN_MS = 30_000
const LOG_FILE_BYTES = 8 * 2 ** 20

export interface EmbeddedOptions {
  /** Locked by the caller. */
  readonly dataDir: string
  readonly log: Log
  /** False for tests that need no durability. */
  readonly durable?: boolean
  /** Forces a way of running as root, for tests. */
  readonly runAs?: 'namespace' | 'nobody'
}

export interface EmbeddedPostgres {
  readonly options: DatabaseOptions
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>
}

/**
 * Starts Postgres on `<dataDir>/postgres` (initialised if new), reachable by a unix socket for this user only, and
 * keeps it running: after a crash it is started again. It ends with this process, however that ends.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const supervisor = new Supervisor(options, findBinaries(), findIdentity(options.runAs))
  await supervisor.start()
  return supervisor
}

class Supervisor implements EmbeddedPostgres {
  readonly #given: EmbeddedOptions
  readonly #binaries: Binaries
  readonly #identity: Identity
  readonly #stopping = new AbortController()
  #cluster = ''
  #socket = ''
  #child: ChildProcess | undefined
  #exited: Promise<string> = Promise.resolve('')
  #keeping: Promise<void> = Promise.resolve()

  constructor(given: EmbeddedOptions, binaries: Binaries, identity: Identity) {
    this.#given = given
    this.#binaries = binaries
    this.#identity = identity
  }

  get options(): DatabaseOptions {
    return {
      host: this.#socket,
      port: CLUSTER_PORT,
      database: 'postgres',
      user: CLUSTER_USER,
      searchPath: ['public'],
    }
  }

  async start(): Promise<void> {
    this.#cluster = await prepareCluster(this.#given.dataDir, this.#binaries, this.#identity)
    this.#socket = socketFolder(this.#given.dataDir, this.#identity)
    const orphans = await this.#clear()
    if (orphans > 0) this.#given.log.warn({ orphans }, 'ended a Postgres that an earlier process left behind')
    this.#checkVersion()
    await this.#launch()
    this.#keeping = this.#keepRunning()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#keeping
    const child = this.#child
    if (child === undefined) return
    // It does not keep the program running, except while we wait for it here.
    child.ref()
    child.kill('SIGINT')
    const ended = await Promise.race([this.#exited, sleep(STOP_WITHIN_MS, 'late' as const, { ref: false })])
    if (ended === 'late') {
      this.#given.log.error('Postgres did not stop in time; it will replay its log at the next start')
      child.kill('SIGQUIT')
      await this.#exited
    }
  }

  /** Ends what still runs, and removes the socket and its lock file: the process id in it may be another's by now. */
  async #clear(): Promise<number> {
    const orphans = await endOrphans(this.#cluster)
    for (const end of ['', '.lock']) rmSync(join(this.#socket, `.s.PGSQL.${CLUSTER_PORT}${end}`), { force: true })
    return orphans
  }

  /** Data of another major version would be refused by Postgres in words that help nobody. */
  #checkVersion(): void {
    const found = readFileSync(join(this.#cluster, 'PG_VERSION'), 'utf8').trim()
    if (found === '18') return
    throw new DatabaseError(
      'POSTGRES_VERSION',
      `${this.#cluster} was written by PostgreSQL ${found}, and this is 18; export it there and import it here, ` +
        'or choose another folder with --data',
    )
  }

  /** Starts Postgres once and waits until it answers. */
  async #launch(): Promise<void> {
    const logFile = join(this.#given.dataDir, 'logs', 'postgres.log')
    const output = this.#openLog(logFile)
    const settings = Object.entries(postgresSettings(this.#given.durable ?? true))
    const [program = '', ...args] = [
      ...this.#identity.prefix,
      this.#binaries.postgres,
      ...['-D', this.#cluster, '-k', this.#socket, '-p', String(CLUSTER_PORT)],
      ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]
    // Its own session: Ctrl-C in the terminal is for us, and Postgres stops after we have drained.
    const child = spawn(program, args, {
      ...this.#identity.spawn,
      cwd: '/',
      detached: true,
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    child.unref()
    this.#child = child
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(messageOf(error)))
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
    const guardian = child.pid === undefined ? undefined : postGuardian(child.pid)
    void this.#exited.then(() => guardian?.dismiss())
    await this.#untilReady(logFile)
  }

  #openLog(file: string): number {
    mkdirSync(join(this.#given.dataDir, 'logs'), { recursive: true, mode: 0o700 })
    const output = openSync(file, 'a', 0o600)
    if (statSync(file).size < LOG_FILE_BYTES) return output
    closeSync(output)
    renameSync(file, `${file}.1`)
    return openSync(file, 'a', 0o600)
  }

  async #untilReady(logFile: string): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS
    let ended: string | undefined
    void this.#exited.then((how) => {
      ended = how
    })
    for (let attempt = 0; Date.now() < deadline; attempt++) {
      if (ended !== undefined) throw this.#failed(`ended at start (${ended})`, logFile)
      if (this.#stopping.signal.aborted || (await this.#answers())) return
      if (attempt === 250) this.#given.log.warn('Postgres is still recovering; waiting for it')
      await sleep(attempt < 100 ? 10 : 100)
    }
    throw this.#failed(`did not answer within ${READY_WITHIN_MS / 1000} s`, logFile)
  }

  async #answers(): Promise<boolean> {
    const sql = connect(this.options, { max: 1, connectSeconds: 5 })
    try {
      await sql`select 1`
      return true
    } catch (error) {
      // Not listening yet, or recovering: 57P03.
      if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', '57P03', 'CONNECTION_CLOSED'].includes(codeOf(error) ?? ''))
        return false
      throw error
    } finally {
      await sql.end({ timeout: 0 })
    }
  }

  #failed(what: string, logFile: string): DatabaseError {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n')
    const reason = lines.findLast((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? ''
    return new DatabaseError('POSTGRES_FAILED', `Postgres ${what}: ${reason}; see ${logFile}`)
  }

  /** Starts Postgres again whenever it ends without being asked to. */
  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    let failures = 0
    while (!signal.aborted) {
      const how = await Promise.race([this.#exited, stopped])
      if (how === undefined) return
      this.#given.log.error({ how, failures }, 'Postgres ended by itself; starting it again')
      try {
        await this.#clear()
        await this.#launch()
        this.#given.log.warn('Postgres is back')
        failures = 0
      } catch (error) {
        failures++
        this.#given.log.error({ reason: messageOf(error), failures }, 'Postgres could not be started again')
        await Promise.race([sleep(Math.min(250 * 2 ** failures, 5_000), undefined, { ref: false }), stopped])
      }
    }
  }
}
