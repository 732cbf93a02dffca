import type { Principal } from '../../schema/index.ts'
import type { Audit, AuditEntry } from '../plugin/custody.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql, SqlOrTransaction } from '../plugin/sql.ts'
import { TokenBuckets } from './token-buckets.ts'

/** Entries are kept for so long. */
export const AUDIT_DAYS = 400
/** Refusals a second that are written down: somebody who is refused all the time must not fill the disk. */
const REFUSALS = { perSecond: 2, burst: 50 }
const MAX_ACTORS = 1_000

/** One entry as it was stored. */
export interface AuditRecord {
  readonly id: bigint
  readonly at: Date
  readonly actor: string
  readonly account: Uint8Array | null
  readonly action: string
  readonly target: string | null
  readonly outcome: 'DONE' | 'REFUSED'
  readonly code: string | null
  readonly details: unknown
}

/** The audit log in the database. */
export class AuditLog implements Audit {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #log: Log
  readonly #refusals: TokenBuckets

  constructor(sql: Sql, clock: Clock, log: Log) {
    this.#sql = sql
    this.#clock = clock
    this.#log = log
    this.#refusals = new TokenBuckets(MAX_ACTORS, () => clock.now())
  }

  async record(tx: SqlOrTransaction, principal: Principal, entry: AuditEntry): Promise<void> {
    const { action, target = null, code = null, details = {} } = entry
    await tx`
      insert into core.audit (at, actor, account, action, target, outcome, code, details)
      values (${new Date(this.#clock.now())}, ${actorOf(principal)}, ${principal.account}, ${action}, ${target},
        ${code === null ? 'DONE' : 'REFUSED'}, ${code}, ${this.#sql.json(details)})`
    this.#log.info({ actor: actorOf(principal), action, target, code }, 'audit')
  }

  /** Writes down a refusal, on its own. Strangers' are not: they would be without number. */
  async refused(principal: Principal, entry: AuditEntry & { readonly code: string }): Promise<void> {
    if (principal.kind === 'anonymous' || this.#refusals.take(principal.id, REFUSALS) > 0) return
    await this.record(this.#sql, principal, entry)
  }

  /** One page, newest first. */
  async page(
    limit: number,
    before: bigint | undefined,
    filter: { readonly actor?: string | null | undefined; readonly action?: string | null | undefined },
  ): Promise<readonly AuditRecord[]> {
    const { actor, action } = filter
    return this.#sql<AuditRecord[]>`
      select id, at, actor, account, action, target, outcome, code, details from core.audit
      where true
        ${before === undefined ? this.#sql`` : this.#sql`and id < ${before.toString()}`}
        ${actor == null ? this.#sql`` : this.#sql`and actor = ${actor}`}
        ${action == null ? this.#sql`` : this.#sql`and action = ${action}`}
      order by id desc limit ${limit}`
  }
}

/** How the log names somebody: `key:<id>`, `wallet:<address>`, or `console` for the node's own command line. */
export const actorOf = ({ kind, id }: Principal): string =>
  kind === 'anonymous' || id === 'console' ? id : `${kind}:${id}`
