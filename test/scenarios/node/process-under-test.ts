import { strict as assert } from 'node:assert'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type Program, runNode, until } from '../../../server/testing/program.ts'
import { postgresProcesses, signalAll } from './postgres-processes.ts'

export const MAIN: string = new URL('../../../server/main.ts', import.meta.url).pathname
/** What takes longer to start by itself, whatever happened to it, has failed. */
const START_WITHIN_MS = 120_000
const STOP_WITHIN_MS = 120_000
const LAST_LINES = 20

/** A `deaios` command in a process of its own, on a data folder of its own, to be mistreated. */
export class ProcessUnderTest {
  readonly dataDir: string
  readonly #logFile: string
  #program: Program | undefined

  /** @param name names its folder, and its log in there */
  constructor(name: string) {
    this.dataDir = mkdtempSync(join(tmpdir(), `scenario-${name}-`))
    this.#logFile = join(this.dataDir, 'logs', `${name}.log`)
  }

  get pid(): number {
    return this.#running.pid
  }

  /** What it said on stderr since its last start. */
  get complaints(): string {
    return this.#program?.output.err ?? ''
  }

  /** What it said on stderr, and the end of its log, for whoever has to find out. */
  get lastWords(): string {
    const log = existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : ''
    return `stderr: ${this.complaints}\nlog: ${log.trimEnd().split('\n').slice(-LAST_LINES).join('\n')}`
  }

  /** Process ids of its Postgres, the postmaster's first. */
  postgres(): readonly number[] {
    return postgresProcesses(this.dataDir)
  }

  /** Stops its process in its tracks: it keeps its connections, and does and says nothing. */
  freeze(): void {
    this.#running.child.kill('SIGSTOP')
  }

  /** Lets it go on, as if no time had passed. */
  thaw(): void {
    this.#running.child.kill('SIGCONT')
  }

  /** kill -9; its Postgres ends with it. */
  async kill(): Promise<void> {
    await this.#running.end('SIGKILL')
  }

  /** Asks it to stop, and checks that it did so as it should. */
  async stop(): Promise<void> {
    this.#running.child.kill('SIGTERM')
    const ended = await Promise.race([this.#running.ended, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
    assert.deepEqual(ended, { code: 0, signal: null }, `how it stopped:\n${this.lastWords}`)
    assert.deepEqual(this.postgres(), [], 'its Postgres has stopped with it')
  }

  /** Ends whatever of it still runs, and removes its data. */
  async remove(): Promise<void> {
    if (this.#program !== undefined && isRunning(this.#program.pid)) await this.kill()
    await until(() => this.postgres().length === 0, 'Postgres is gone', 30_000).catch(() => {
      signalAll(this.postgres(), 'SIGKILL')
    })
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** Runs `deaios` with these words; returns before it is ready. */
  protected run(words: readonly string[], environment: NodeJS.ProcessEnv): void {
    const { PATH } = process.env
    this.#program = runNode([MAIN, ...words, '--data', this.dataDir], { env: { PATH, ...environment } })
  }

  /** What it says next that contains the text, while it starts. */
  protected async says(containing: string): Promise<string> {
    const late = new AbortController()
    const line = await Promise.race([
      this.#running.line(containing),
      sleep(START_WITHIN_MS, undefined, { signal: late.signal, ref: false }),
    ]).finally(() => late.abort())
    assert.ok(line !== undefined, `not started within ${START_WITHIN_MS} ms:\n${this.lastWords}`)
    return line
  }

  get #running(): Program {
    assert.ok(this.#program !== undefined, 'it was started')
    return this.#program
  }
}
