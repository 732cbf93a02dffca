import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../plugin/host.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'
import { connect } from './connect.ts'
import { DatabaseError, messageOf } from './errors.ts'
import { describeDatabase } from './external.ts'

/** The advisory lock's key: 'deaios' in two numbers. */
const LOCK = [0x64_65_61, 0x69_6f_73] as const
/** A node that was just killed may keep its session for a moment. */
const ACQUIRE_WITHIN_MS = 3_000
const MINIMUM_VERSION = 160_000

export type DatabaseStatus =
  | { readonly status: 'up' }
  /** The connection broke; it is being tried again. */
  | { readonly status: 'down'; readonly reason: string }
  /** Another node took the database while we were away: this one must stop. */
  | { readonly status: 'lost'; readonly reason: string }

/** The exclusive right to lead this database, held by a session of its own. */
export interface Leadership {
  /** Of the server, like `18.4`. */
  readonly serverVersion: string
  status(): DatabaseStatus
  /** Calls the listener at each change; returns how to stop that. */
  onChange(listener: (status: DatabaseStatus) => void): () => void
  release(): Promise<void>
}

/**
 * Connects, checks the server's version, and takes the database for this node, so that two nodes never lead the same
 * one. The lock belongs to the session: it goes with the process. When the session breaks it is taken again.
 *
 * Throws DATABASE_UNREACHABLE, POSTGRES_VERSION or DATABASE_IN_USE.
 */
export async function takeLeadership(options: DatabaseOptions, log: Log): Promise<Leadership> {
  const holder = new Holder(options, log)
  try {
    await holder.acquire()
  } catch (error) {
    await holder.release()
    throw error
  }
  return holder
}

/** Gives the name of the server's version back, or throws POSTGRES_VERSION. `number` is like 180004. */
export function requireVersion(options: DatabaseOptions, number: string, name: string): string {
  if (Number(number) >= MINIMUM_VERSION) return name
  throw new DatabaseError(
    'POSTGRES_VERSION',
    `the database ${describeDatabase(options)} runs PostgreSQL ${name}, and deaios needs 16 or later; ` +
      'upgrade it, or unset DATABASE_URL to use the embedded one',
  )
}

class Holder implements Leadership {
  readonly #options: DatabaseOptions
  readonly #log: Log
  readonly #sql: Sql
  readonly #listeners = new Set<(status: DatabaseStatus) => void>()
  readonly #released = new AbortController()
  #status: DatabaseStatus = { status: 'down', reason: 'not connected yet' }
  #recovering: Promise<void> = Promise.resolve()
  serverVersion = ''

  constructor(options: DatabaseOptions, log: Log) {
    this.#options = options
    this.#log = log
    this.#sql = connect(options, {
      max: 1,
      connectSeconds: 5,
      applicationName: `deaios process ${process.pid} on ${hostname()}`.slice(0, 63),
      onClose: () => this.#closed(),
    })
  }

  status(): DatabaseStatus {
    return this.#status
  }

  onChange(listener: (status: DatabaseStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async acquire(): Promise<void> {
    await this.#checkVersion()
    const deadline = Date.now() + ACQUIRE_WITHIN_MS
    for (;;) {
      const [row] = await this.#sql<{ got: boolean }[]>`select pg_try_advisory_lock(${LOCK[0]}, ${LOCK[1]}) as got`
      if (row?.got === true) break
      if (Date.now() > deadline)
        throw new DatabaseError(
          'DATABASE_IN_USE',
          `the database ${describeDatabase(this.#options)} is led by ${await this.#other()}; stop it, or use another database`,
        )
      await sleep(50)
    }
    this.#set({ status: 'up' })
  }

  async release(): Promise<void> {
    this.#released.abort()
    await this.#sql.end({ timeout: 1 })
    await this.#recovering
  }

  async #checkVersion(): Promise<void> {
    const where = describeDatabase(this.#options)
    const rows = await this.#sql<{ number: string; name: string }[]>`
      select current_setting('server_version_num') as number, current_setting('server_version') as name`.catch(
      (error: unknown) => {
        throw new DatabaseError(
          'DATABASE_UNREACHABLE',
          `cannot reach the database ${where}: ${messageOf(error)}; check DATABASE_URL and that the server runs`,
          error,
        )
      },
    )
    const server = rows[0]
    this.serverVersion = requireVersion(this.#options, server?.number ?? '', server?.name ?? 'of no version')
  }

  async #other(): Promise<string> {
    const [row] = await this.#sql<{ name: string; address: string | null }[]>`
      select a.application_name as name, host(a.client_addr) as address
      from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.classid = ${LOCK[0]} and l.objid = ${LOCK[1]}
        and l.database = (select oid from pg_database where datname = current_database())`
    if (row === undefined) return 'another node'
    return row.address === null ? row.name : `${row.name} (${row.address})`
  }

  #closed(): void {
    if (this.#released.signal.aborted || this.#status.status !== 'up') return
    this.#set({ status: 'down', reason: 'the connection was closed' })
    this.#recovering = this.#recover()
  }

  async #recover(): Promise<void> {
    const { signal } = this.#released
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.acquire()
        return
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof DatabaseError && error.code !== 'DATABASE_UNREACHABLE') {
          this.#set({ status: 'lost', reason: error.message })
          return
        }
        if (attempt === 0) this.#log.warn({ reason: messageOf(error) }, 'the database is away; trying again')
        await sleep(100, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  #set(status: DatabaseStatus): void {
    this.#status = status
    if (status.status === 'lost') this.#log.error({ reason: status.reason }, 'lost the database to another node')
    if (status.status === 'down') this.#log.warn({ reason: status.reason }, 'lost the connection to the database')
    for (const listener of this.#listeners) listener(status)
  }
}
