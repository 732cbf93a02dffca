import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import { CuttingProxy } from '../node/cutting-proxy.ts'
import { signalAll } from '../node/postgres-processes.ts'
import { ProcessUnderTest } from '../node/process-under-test.ts'

export const HOSTED_CONFIG: string = new URL('../../fixtures/hosted.config.ts', import.meta.url).pathname

/** A real shard host in a process of its own, with a Postgres of its own, to be mistreated. */
export class ShardHostUnderTest extends ProcessUnderTest {
  #proxy: CuttingProxy | undefined
  #database = ''

  constructor() {
    super('shard-host')
  }

  /** What nodes are told of it: they come by a way that can be cut. */
  get told(): string {
    assert.ok(this.#proxy !== undefined, 'the shard host was started')
    return JSON.stringify({
      url: `ws://127.0.0.1:${this.#proxy.port}/shard-host`,
      secretFile: join(this.dataDir, 'shard-host.secret'),
      database: this.#database,
    })
  }

  async start(): Promise<void> {
    this.run(['shard-host', '--listen', '127.0.0.1:0', '--config', HOSTED_CONFIG], {})
    const database = await this.says('database: ')
    this.#database = /'(.*)'/.exec(database)?.[1] ?? ''
    const ready = await this.says('ready ')
    const url = ready.slice(ready.indexOf('ws:'))
    if (this.#proxy === undefined) this.#proxy = await CuttingProxy.to(url)
    else this.#proxy.lead(url)
  }

  /** Ends every connection to it, whatever is on its way. */
  cut(): void {
    this.#proxy?.cut()
  }

  /** kill -9 of its Postgres, which it starts again. */
  killPostgres(): void {
    signalAll(this.postgres(), 'SIGKILL')
  }

  freezePostgres(): void {
    signalAll(this.postgres(), 'SIGSTOP')
  }

  thawPostgres(): void {
    signalAll(this.postgres(), 'SIGCONT')
  }

  override async remove(): Promise<void> {
    await this.#proxy?.close()
    await super.remove()
  }
}
