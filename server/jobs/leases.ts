import type { Database } from '../db/database.ts'
import { CORE_SCHEMA } from '../db/migrate.ts'
import type { Log } from '../plugin/host.ts'
import { Lease } from './lease.ts'
import { LeaseTable } from './lease-table.ts'
import { LeaseWatch } from './lease-watch.ts'

/** The node's part in the leases of its database. Nothing is connected before it is used. */
export class Leases {
  /** This node's id. */
  readonly node: string
  readonly watch: LeaseWatch
  readonly #table: LeaseTable
  readonly #log: Log

  constructor(database: Database, node: string, log: Log) {
    this.node = node
    this.#log = log
    this.#table = new LeaseTable(database.options(CORE_SCHEMA), node)
    this.watch = new LeaseWatch(this.#table, database.sql(CORE_SCHEMA), log)
  }

  /** Takes the lease, as soon as it is free; undefined if the signal aborts before. */
  async take(name: string, signal: AbortSignal): Promise<Lease | undefined> {
    let isTrouble = false
    while (!signal.aborted) {
      try {
        const lease = await Lease.acquire(this.#table, name, this.#log)
        if (lease !== undefined && signal.aborted) await lease.release()
        else if (lease !== undefined) return lease
        isTrouble = false
      } catch (error) {
        if (!isTrouble) this.#log.warn({ lease: name, error }, 'a lease cannot be asked for; trying again')
        isTrouble = true
      }
      await this.watch.free(name, signal)
    }
    return undefined
  }

  async stop(): Promise<void> {
    await this.watch.stop()
    await this.#table.end()
  }
}
