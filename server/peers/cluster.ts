import type { Database } from '../db/database.ts'
import { CORE_SCHEMA } from '../db/migrate.ts'
import { ContinuousJobs } from '../jobs/continuous/continuous-jobs.ts'
import { Leases } from '../jobs/leases.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Peers } from '../plugin/peers.ts'
import { Answers } from './answers.ts'
import { PeerListener, type PeersOptions } from './listener.ts'
import { PeerCalls } from './peers.ts'
import { Registration } from './registration.ts'

export interface ClusterParts {
  readonly database: Database
  /** This node's id. */
  readonly node: string
  readonly clock: Clock
  readonly log: Log
  readonly peers?: PeersOptions | undefined
}

interface Door {
  readonly listener: PeerListener
  readonly registration: Registration
}

/**
 * A node's part among all that share its database: what it leads, what it asks other leaders, what it answers. Nothing
 * is opened before the first leader job begins.
 */
export class Cluster {
  readonly continuous: ContinuousJobs
  readonly #parts: ClusterParts
  readonly #answers = new Answers()
  readonly #calls: PeerCalls
  #leases: Leases | undefined
  #door: Promise<Door> | undefined

  constructor(parts: ClusterParts) {
    const { node, clock } = parts
    const log = parts.log.child({ part: 'cluster' })
    this.#parts = { ...parts, log }
    this.#calls = new PeerCalls(this.#answers, () => this.#open())
    this.continuous = new ContinuousJobs({ leases: () => this.#join(), node, clock, log: parts.log })
  }

  peers(plugin: string): Peers {
    return this.#calls.of(plugin)
  }

  /** Ends all that the plugins did not end. */
  async stop(): Promise<void> {
    this.#calls.stop()
    const door = await this.#door?.catch(() => undefined)
    await door?.registration.end()
    await door?.listener.close()
    await this.#leases?.stop()
  }

  #open(): Leases {
    this.#leases ??= new Leases(this.#parts.database, this.#parts.node, this.#parts.log)
    return this.#leases
  }

  /** Whoever may come to lead answers the others first. */
  async #join(): Promise<Leases> {
    this.#door ??= this.#openDoor().catch((error: unknown) => {
      this.#door = undefined
      throw error
    })
    await this.#door
    return this.#open()
  }

  async #openDoor(): Promise<Door> {
    const { database, node, log, peers } = this.#parts
    const listener = await PeerListener.open(this.#answers, peers)
    const registration = new Registration(database.sql(CORE_SCHEMA), node, listener, log)
    try {
      await registration.begin()
    } catch (error) {
      await listener.close()
      throw error
    }
    log.info({ url: listener.url }, 'other nodes are answered')
    return { listener, registration }
  }
}
