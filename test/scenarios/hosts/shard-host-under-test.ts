import { strict as assert } from 'node:assert'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type Program, runNode, until } from '../../../server/testing/program.ts'
import { CuttingProxy } from '../node/cutting-proxy.ts'
import { postgresProcesses, signalAll } from '../node/postgres-processes.ts'

const MAIN = new URL('../../../server/main.ts', import.meta.url).pathname
export const HOSTED_CONFIG: string = new URL('../../fixtures/hosted.config.ts', import.meta.url).pathname
const START_WITHIN_MS = 60_000

/** A real shard host in a process of its own, with a Postgres of its own, to be mistreated. */
export class ShardHostUnderTest {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'deaios-shard-host-'))
  #program: Program | undefined
  #proxy: CuttingProxy | undefined
  #database = ''

  /** What nodes are told of it: they come by a way that can be cut. */
  get told(): string {
    assert.ok(this.#proxy !== undefined, 'the shard host was started')
    return JSON.stringify({
      url: `ws://127.0.0.1:${this.#proxy.port}/shard-host`,
      secretFile: join(this.dataDir, 'shard-host.secret'),
      database: this.#database,
    })
  }

  get complaints(): string {
    return this.#running.output.err
  }

  get #running(): Program {
    assert.ok(this.#program !== undefined, 'the shard host was started')
    return this.#program
  }

  async start(): Promise<void> {
    const { PATH } = process.env
    const words = ['shard-host', '--listen', '127.0.0.1:0', '--data', this.dataDir, '--config', HOSTED_CONFIG]
    this.#program = runNode([MAIN, ...words], { env: { PATH } })
    const database = await this.#line('database: ')
    this.#database = /'(.*)'/.exec(database)?.[1] ?? ''
    const ready = await this.#line('ready ')
    const url = ready.slice(ready.indexOf('ws:'))
    if (this.#proxy === undefined) this.#proxy = await CuttingProxy.to(url)
    else this.#proxy.lead(url)
  }

  /** Ends every connection to it, whatever is on its way. */
  cut(): void {
    this.#proxy?.cut()
  }

  freeze(): void {
    this.#running.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#running.child.kill('SIGCONT')
  }

  /** kill -9; its Postgres ends with it. */
  async kill(): Promise<void> {
    await this.#running.end('SIGKILL')
  }

  /** kill -9 of its Postgres, which it starts again. */
  killPostgres(): void {
    signalAll(postgresProcesses(this.dataDir), 'SIGKILL')
  }

  freezePostgres(): void {
    signalAll(postgresProcesses(this.dataDir), 'SIGSTOP')
  }

  thawPostgres(): void {
    signalAll(postgresProcesses(this.dataDir), 'SIGCONT')
  }

  async stop(): Promise<void> {
    this.#running.child.kill('SIGTERM')
    assert.deepEqual(await this.#running.ended, { code: 0, signal: null }, this.complaints)
  }

  logTail(): string {
    return readFileSync(join(this.dataDir, 'logs', 'shard-host.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-20)
      .join('\n')
  }

  async remove(): Promise<void> {
    if (this.#program !== undefined && isRunning(this.#program.pid)) await this.kill()
    await this.#proxy?.close()
    await until(() => postgresProcesses(this.dataDir).length === 0, 'Postgres is gone', 30_000).catch(() => {
      signalAll(postgresProcesses(this.dataDir), 'SIGKILL')
    })
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  async #line(containing: string): Promise<string> {
    const late = new AbortController()
    const line = await Promise.race([
      this.#running.line(containing),
      sleep(START_WITHIN_MS, undefined, { signal: late.signal, ref: false }),
    ]).finally(() => late.abort())
    assert.ok(line !== undefined, `not started within ${START_WITHIN_MS} ms:\n${this.complaints}`)
    return line
  }
}
