import { strict as assert } from 'node:assert'
import { until } from '../../../server/testing/program.ts'
import { strayPostgres } from './postgres-processes.ts'
import { ProcessUnderTest } from './process-under-test.ts'

export const CONFIG: string = new URL('../../fixtures/ledger.config.ts', import.meta.url).pathname

/** A real node in a process of its own, to be mistreated. */
export class NodeUnderTest extends ProcessUnderTest {
  /** Milliseconds that the slowest start took. */
  slowestStart = 0
  readonly #databaseUrl: string | undefined
  readonly #config: string
  readonly #environment: () => NodeJS.ProcessEnv
  #url = ''

  /**
   * @param databaseUrl of a Postgres that it shares with others; its own if absent
   * @param config its config file
   * @param environment what its processes find in the environment, asked for at each start
   */
  constructor(databaseUrl?: string, config = CONFIG, environment: () => NodeJS.ProcessEnv = () => ({})) {
    super('deaios')
    this.#databaseUrl = databaseUrl
    this.#config = config
    this.#environment = environment
  }

  /** Address of its /graphql, while it runs. */
  get url(): string {
    return this.#url
  }

  /** Starts its process; returns before it is ready. */
  launch(): void {
    this.run(['start', '--port', '0', '--config', this.#config], {
      ...this.#environment(),
      ...(this.#databaseUrl === undefined ? {} : { DATABASE_URL: this.#databaseUrl }),
    })
  }

  /** Starts it, by nothing but the command, and waits until it is ready. */
  async start(): Promise<void> {
    const started = performance.now()
    this.launch()
    const line = await this.says('ready ')
    this.slowestStart = Math.max(this.slowestStart, Math.round(performance.now() - started))
    this.#url = line.slice(line.indexOf('http'))
    if (this.#databaseUrl !== undefined) return
    assert.ok(this.postgres().length > 0, 'its Postgres runs')
    // A child that has just begun or ended may seem to be one for a moment.
    await until(() => strayPostgres(this.dataDir).length === 0, 'no other Postgres is left on its data')
  }
}
