import { connect } from '../db/connect.ts'
import { CORE_SCHEMA } from '../db/migrate.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'

/** Milliseconds that a lease holds without being renewed. */
export const LEASE_MS = 3_000

/** A statement that takes longer has a connection that leads nowhere. */
const ANSWER_MS = 1_500
/** Taking over may have to wait for transactions of the leader before. */
const ACQUIRE_MS = 5_000
/** Renewals must not queue up behind a take-over. */
const CONNECTIONS = 3

/** Who holds a lease, as the database last said. */
export interface Leader {
  /** The node's id. */
  readonly node: string
  readonly fence: bigint
  /** Where it answers other nodes; null if it answers nobody. */
  readonly url: string | null
  readonly secret: string | null
}

/** A leader, and for how many milliseconds it is one if it does not renew. */
export interface LeaseRow extends Leader {
  readonly name: string
  readonly left: number
}

/** The database did not answer in time. */
export class LeaseTimeoutError extends Error {
  override readonly name = 'LeaseTimeoutError'
  readonly code = 'LEASE_TIMEOUT'
}

/**
 * The leases in the database, on connections of their own, so that no other work of the node can delay a renewal. A
 * connection on which nothing comes back (its peer may be gone without a word) is replaced.
 */
export class LeaseTable {
  /** This node's id: the holder of what it acquires. */
  readonly node: string
  readonly #options: DatabaseOptions
  #sql: Sql

  constructor(options: DatabaseOptions, node: string) {
    this.node = node
    this.#options = { ...options, searchPath: [CORE_SCHEMA] }
    this.#sql = this.#connect()
  }

  /** Takes a lease if it is free, expired, or left by an earlier life of this node. Gives its fence. */
  async acquire(name: string): Promise<bigint | undefined> {
    const [row] = await this.#ask(
      ACQUIRE_MS,
      (sql) => sql<{ fence: bigint | null }[]>`
        select core.acquire_lease(${name}, ${this.node}, ${`${LEASE_MS} ms`}::text::interval) as fence`,
    )
    return row?.fence ?? undefined
  }

  /** False if the lease was taken by another node, or released. */
  async renew(name: string, fence: bigint): Promise<boolean> {
    const rows = await this.#ask(
      ANSWER_MS,
      (sql) => sql`
        update core.lease set expires_at = clock_timestamp() + ${`${LEASE_MS} ms`}::text::interval
        where name = ${name} and holder = ${this.node} and fence = ${fence}`,
    )
    return rows.count === 1
  }

  /** Gives a lease back and wakes those who wait for it. */
  async release(name: string, fence: bigint): Promise<void> {
    await this.#ask(
      ANSWER_MS,
      (sql) => sql`
        with released as (
          update core.lease set holder = null, expires_at = clock_timestamp()
          where name = ${name} and holder = ${this.node} and fence = ${fence} returning name
        )
        select pg_notify('core_lease', name) from released`,
    )
  }

  /** The leases among these that somebody holds now. */
  async held(names: readonly string[]): Promise<readonly LeaseRow[]> {
    return this.#ask(
      ANSWER_MS,
      (sql) => sql<LeaseRow[]>`
        select lease.name, lease.holder as node, lease.fence, node.url, node.secret,
          (extract(epoch from lease.expires_at - clock_timestamp()) * 1000)::float8 as left
        from core.lease left join core.node on node.id = lease.holder
        where lease.name = any(${[...names]}::text[]) and lease.holder is not null
          and lease.expires_at > clock_timestamp()`,
    )
  }

  async end(): Promise<void> {
    await this.#sql.end({ timeout: 1 })
  }

  async #ask<T>(within: number, statement: (sql: Sql) => PromiseLike<T>): Promise<T> {
    const sql = this.#sql
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const giveUp = (): void => reject(new LeaseTimeoutError(`the database did not answer within ${within / 1000} s`))
      // If this process was held up, the answer may have come and not been read: it has its turn first.
      timer = setTimeout(() => setImmediate(giveUp), within)
    })
    try {
      return await Promise.race([statement(sql), late])
    } catch (error) {
      if (error instanceof LeaseTimeoutError && this.#sql === sql) {
        this.#sql = this.#connect()
        // Whatever still waits on it fails at once, and is tried again on the new one.
        void sql.end({ timeout: 0 })
      }
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #connect(): Sql {
    return connect(this.#options, { max: CONNECTIONS, connectSeconds: 2, applicationName: 'deaios leases' })
  }
}
