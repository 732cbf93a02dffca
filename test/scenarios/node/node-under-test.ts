import { strict as assert } from 'node:assert'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type Program, runNode, until } from '../../../server/testing/program.ts'
import { postgresProcesses, signalAll, strayPostgres } from './postgres-processes.ts'

export const MAIN: string = new URL('../../../server/main.ts', import.meta.url).pathname
export const CONFIG: string = new URL('../../fixtures/ledger.config.ts', import.meta.url).pathname
/** A node that takes longer to start by itself, whatever happened to it, has failed. */
const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 60_000

/** A real node in a process of its own, on a data folder of its own, to be mistreated. */
export class NodeUnderTest {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'deaios-scenario-'))
  /** Milliseconds that the slowest start took. */
  slowestStart = 0
  readonly #databaseUrl: string | undefined
  readonly #config: string
  readonly #environment: () => NodeJS.ProcessEnv
  #program: Program | undefined
  #url = ''

  /**
   * @param databaseUrl of a Postgres that it shares with others; its own if absent
   * @param config its config file
   * @param environment what its processes find in the environment, asked for at each start
   */
  constructor(databaseUrl?: string, config = CONFIG, environment: () => NodeJS.ProcessEnv = () => ({})) {
    this.#databaseUrl = databaseUrl
    this.#config = config
    this.#environment = environment
  }

  /** Address of its /graphql, while it runs. */
  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.#running.pid
  }

  /** What it said on stderr since its last start. */
  get complaints(): string {
    return this.#running.output.err
  }

  get #running(): Program {
    assert.ok(this.#program !== undefined, 'the node was not started')
    return this.#program
  }

  /** Starts its process; returns before it is ready. */
  launch(): void {
    const { PATH } = process.env
    this.#program = runNode([MAIN, 'start', '--port', '0', '--data', this.dataDir, '--config', this.#config], {
      env: {
        PATH,
        ...this.#environment(),
        ...(this.#databaseUrl === undefined ? {} : { DATABASE_URL: this.#databaseUrl }),
      },
    })
  }

  /** Starts it, by nothing but the command, and waits until it is ready. */
  async start(): Promise<void> {
    const started = performance.now()
    this.launch()
    const late = new AbortController()
    const line = await Promise.race([
      this.#running.line('ready '),
      sleep(START_WITHIN_MS, undefined, { signal: late.signal, ref: false }),
    ]).finally(() => late.abort())
    assert.ok(line !== undefined, `not ready within ${START_WITHIN_MS} ms:\n${this.complaints}`)
    this.slowestStart = Math.max(this.slowestStart, Math.round(performance.now() - started))
    this.#url = line.slice(line.indexOf('http'))
    if (this.#databaseUrl !== undefined) return
    assert.ok(this.postgres().length > 0, 'its Postgres runs')
    // A child that has just begun or ended may seem to be one for a moment.
    await until(() => strayPostgres(this.dataDir).length === 0, 'no other Postgres is left on its data', 5_000)
  }

  /** Stops its process in its tracks: it keeps its connections, and does and says nothing. */
  freeze(): void {
    this.#running.child.kill('SIGSTOP')
  }

  /** Lets it go on, as if no time had passed. */
  thaw(): void {
    this.#running.child.kill('SIGCONT')
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#running.end('SIGKILL')
  }

  /** Asks it to stop, and checks that it did so as it should. */
  async stop(): Promise<void> {
    this.#running.child.kill('SIGTERM')
    const ended = await Promise.race([this.#running.ended, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
    assert.deepEqual(ended, { code: 0, signal: null }, `how it stopped:\n${this.complaints}\n${this.logTail()}`)
    assert.deepEqual(this.postgres(), [], 'its Postgres has stopped with it')
  }

  /** Process ids of its Postgres, the postmaster's first. */
  postgres(): readonly number[] {
    return postgresProcesses(this.dataDir)
  }

  /** The end of its log, for whoever has to find out. */
  logTail(): string {
    return readFileSync(join(this.dataDir, 'logs', 'deaios.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-20)
      .join('\n')
  }

  /** Ends whatever of it still runs, and removes its data. */
  async remove(): Promise<void> {
    if (this.#program !== undefined && isRunning(this.#program.pid)) await this.kill()
    await until(() => this.postgres().length === 0, 'Postgres is gone', 30_000).catch(() => {
      signalAll(this.postgres(), 'SIGKILL')
    })
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}
