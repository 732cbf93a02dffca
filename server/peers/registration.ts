import { messageOf } from '../db/errors.ts'
import { pause } from '../pause.ts'
import type { Log, Sql } from '../plugin.ts'
import { SERVER_VERSION } from '../version.ts'
import type { PeerListener } from './listener.ts'

const SEEN_EVERY_MS = 10_000
/** A node that was not seen for so long is forgotten. */
const FORGET_AFTER = '10 minutes'

/** This node's row in the list of nodes: it says where the others find it. */
export class Registration {
  readonly #sql: Sql
  readonly #node: string
  readonly #listener: PeerListener
  readonly #log: Log
  readonly #ended = new AbortController()
  #beating: Promise<void> | undefined

  constructor(sql: Sql, node: string, listener: PeerListener, log: Log) {
    this.#sql = sql
    this.#node = node
    this.#listener = listener
    this.#log = log
  }

  /** Puts the row in, and keeps it fresh from then on. Throws the database's error. */
  async begin(): Promise<void> {
    await this.#beat()
    this.#beating = this.#keep()
  }

  async end(): Promise<void> {
    this.#ended.abort()
    await this.#beating
    await this.#sql`delete from core.node where id = ${this.#node} and secret = ${this.#listener.secret}`.catch(
      (error: unknown) => this.#log.debug({ error: messageOf(error) }, 'this node stays listed; it is forgotten later'),
    )
  }

  async #keep(): Promise<void> {
    const { signal } = this.#ended
    for (;;) {
      await pause(SEEN_EVERY_MS, signal)
      if (signal.aborted) return
      await this.#beat().catch((error: unknown) =>
        this.#log.debug({ error: messageOf(error) }, 'the list of nodes cannot be written; trying again'),
      )
    }
  }

  async #beat(): Promise<void> {
    const { url, secret } = this.#listener
    await this.#sql`
      with forgotten as (
        delete from core.node where seen_at < now() - ${FORGET_AFTER}::text::interval and id <> ${this.#node}
      )
      insert into core.node (id, url, secret, version) values (${this.#node}, ${url}, ${secret}, ${SERVER_VERSION})
      on conflict (id) do update set url = excluded.url, secret = excluded.secret, version = excluded.version,
        seen_at = clock_timestamp()`
  }
}
