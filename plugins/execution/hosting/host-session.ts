import type { WebSocket } from 'ws'
import { MAX_BUFFERED, Wire } from '../../../server/links.ts'
import { type DatabaseOptions, type Log, pause, type Sql } from '../../../server/plugin.ts'
import type { ModuleSource } from '../ledger/load-modules.ts'
import type { ShardSeed } from '../shard/shard-seed.ts'
import { explain } from './explain.ts'
import { HostError, HostStore, type Office } from './host-store.ts'
import { HostedShard } from './hosted-shard.ts'
import { type FromHost, HOST_PROTOCOL, ownBytes, type ShardAssignment, type ToHost } from './messages.ts'
import { RootQuestions } from './root-questions.ts'

const OPEN_WITHIN_MS = 10_000
/** Shards that one process runs. */
const MAX_SHARDS = 256

export interface HostSessionParts {
  /** The plugin's schema in the host's own database, as a pool, and for the shards' threads. */
  readonly sql: Sql
  readonly database: DatabaseOptions
  /** All that the plugins here offer. */
  readonly modules: readonly ModuleSource[]
  /** Name of the lease of the job that makes the blocks. */
  readonly lease: string
  readonly log: Log
  /**
   * Lets one leader at a time take office, and ends what runs for the one before as soon as that has happened.
   * @throws whatever `take` throws: then the one before goes on
   */
  readonly admit: (session: HostSession, take: () => Promise<Office>) => Promise<Office>
}

/**
 * One leader's connection to a shard host. The shards that it has started run as long as the connection lasts: without
 * it nobody feeds them, and a later one begins anew from what is durable.
 */
export class HostSession {
  /** Resolves when it is over and nothing of it runs any more. */
  readonly ended: Promise<void>
  readonly #parts: HostSessionParts
  readonly #store: HostStore
  readonly #wire: Wire<ToHost, FromHost>
  readonly #shards = new Map<string, HostedShard>()
  /** What shards that were split handed over to their children, until those start. */
  readonly #seeds = new Map<string, ShardSeed>()
  readonly #roots: RootQuestions
  readonly #over = new AbortController()
  #office: Office | undefined
  #isOpening = false

  constructor(parts: HostSessionParts, socket: WebSocket) {
    this.#parts = parts
    this.#store = new HostStore(parts.sql, parts.lease)
    this.#roots = new RootQuestions((id, height) => this.#send({ type: 'want-root', id, height }))
    const closed = Promise.withResolvers<void>()
    this.#wire = new Wire<ToHost, FromHost>(socket, (message) => this.#takeIfSound(message), closed.resolve)
    this.ended = closed.promise.then(() => this.#end())
    void pause(OPEN_WITHIN_MS, this.#over.signal).then(() => {
      if (!this.#isOpening) this.#wire.terminate()
    })
  }

  /** Lets the shards end what they are doing, then closes the connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#shards.values()].map((shard) => shard.stop()))
    await this.abandon()
  }

  /** Ends everything at once. Nothing durable is lost. */
  async abandon(): Promise<void> {
    this.#wire.terminate()
    await this.ended
  }

  async #end(): Promise<void> {
    this.#over.abort()
    this.#roots.end()
    await Promise.all([...this.#shards.values()].map((shard) => shard.abandon()))
    this.#shards.clear()
    this.#seeds.clear()
  }

  /** What a leader says ends no more than its own connection. */
  #takeIfSound(message: ToHost): void {
    if (this.#over.signal.aborted) return
    try {
      this.#take(ownBytes(message))
    } catch (error) {
      this.#parts.log.error({ error: explain(error) }, 'a leader said what cannot be used: its connection is closed')
      this.#over.abort()
      this.#wire.terminate()
    }
  }

  #take(message: ToHost): void {
    switch (message.type) {
      case 'open':
        return void this.#open(message)
      case 'root':
        return this.#roots.answer(message.id, message.root)
      case 'start':
        return this.#start(message.assignment)
      case 'stop':
        return void this.#stop(message.shard)
      case 'request':
        return this.#shards.get(message.shard)?.take(message.request)
    }
  }

  async #open({ protocol, network, fence }: Extract<ToHost, { type: 'open' }>): Promise<void> {
    if (this.#isOpening) return this.#wire.terminate()
    this.#isOpening = true
    const { log, admit } = this.#parts
    try {
      if (protocol !== HOST_PROTOCOL)
        throw new HostError(
          'WRONG_PROTOCOL',
          `the leader speaks version ${protocol} of the protocol, this shard host ${HOST_PROTOCOL}: run the same release`,
        )
      const office = await admit(this, () => this.#store.takeOffice(network, fence))
      this.#office = office
      log.info({ network: office.network.genesis.name, leader: String(fence) }, 'a leader came')
      this.#send({ type: 'opened', fence: office.fence.fence, time: Date.now() })
    } catch (error) {
      log.warn({ error, leader: String(fence) }, 'a leader was refused')
      this.#send({ type: 'refused', ...explain(error) })
    }
  }

  #start(assignment: ShardAssignment): void {
    const { shard } = assignment
    const office = this.#office
    if (office === undefined || this.#shards.has(shard) || this.#shards.size >= MAX_SHARDS || this.#over.signal.aborted)
      return this.#wire.terminate()
    const { database, modules, log } = this.#parts
    const { tuning, from } = assignment
    const seed = this.#seeds.get(shard)
    this.#seeds.delete(shard)
    const hosted = new HostedShard({
      data: {
        shard,
        database,
        modules,
        params: office.network.params,
        fence: office.fence,
        ...(tuning !== null && { tuning }),
        ...(from !== null && { from }),
        ...(seed && { seed }),
      },
      root: async () => {
        const cursor = await this.#store.open(office.network, assignment, office.fence)
        return this.#roots.ask(cursor)
      },
      log,
      send: (message) => this.#send(message),
      keep: (child, kept) => this.#seeds.set(child, kept),
    })
    this.#shards.set(shard, hosted)
    void hosted.run()
  }

  async #stop(shard: string): Promise<void> {
    await this.#shards.get(shard)?.stop()
    this.#shards.delete(shard)
  }

  /** A leader that does not read what it is told is none. */
  #send(message: FromHost): void {
    if (this.#wire.buffered > MAX_BUFFERED) this.#wire.terminate()
    else this.#wire.send(message)
  }
}
