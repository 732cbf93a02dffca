import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../plugin/host.ts'
import type { DatabaseOptions, Sql } from '../plugin/sql.ts'
import { connect } from './connect.ts'
import { DatabaseError, messageOf } from './errors.ts'
import { describeDatabase } from './external.ts'

const MINIMUM_VERSION = 160_000
const RETRY_MS = 100

export type DatabaseStatus =
  | { readonly status: 'up' }
  /** The connection broke; it is being tried again. */
  | { readonly status: 'down'; readonly reason: string }

/** A session that is kept open to know whether the database is there. */
export interface DatabaseSession {
  /** Of the server, like `18.4`. */
  readonly serverVersion: string
  status(): DatabaseStatus
  /** Calls the listener at each change; returns how to stop that. */
  onChange(listener: (status: DatabaseStatus) => void): () => void
  close(): Promise<void>
}

/**
 * Connects and checks the server's version; from then on watches the connection, and opens it again when it breaks.
 *
 * Throws DATABASE_UNREACHABLE or POSTGRES_VERSION.
 */
export async function openSession(options: DatabaseOptions, log: Log): Promise<DatabaseSession> {
  const session = new Session(options, log)
  try {
    await session.open()
  } catch (error) {
    await session.close()
    throw error
  }
  return session
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

class Session implements DatabaseSession {
  readonly #options: DatabaseOptions
  readonly #log: Log
  readonly #sql: Sql
  readonly #listeners = new Set<(status: DatabaseStatus) => void>()
  readonly #closing = new AbortController()
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

  async open(): Promise<void> {
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
    this.#set({ status: 'up' })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#sql.end({ timeout: 1 })
    await this.#recovering
  }

  #closed(): void {
    if (this.#closing.signal.aborted || this.#status.status !== 'up') return
    this.#set({ status: 'down', reason: 'the connection was closed' })
    this.#recovering = this.#recover()
  }

  async #recover(): Promise<void> {
    const { signal } = this.#closing
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await this.open()
      } catch (error) {
        if (signal.aborted) return
        if (attempt === 0) this.#log.warn({ reason: messageOf(error) }, 'the database is away; trying again')
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  #set(status: DatabaseStatus): void {
    this.#status = status
    if (status.status === 'down') this.#log.warn({ reason: status.reason }, 'lost the connection to the database')
    for (const listener of this.#listeners) listener(status)
  }
}
