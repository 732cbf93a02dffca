import type { Principal } from '../../../schema/index.ts'
import { connect } from '../../db/connect.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../db/migrate.ts'
import { DEFAULT_LIMITS } from '../../graphql/limits.ts'
import { silentLog } from '../../log.ts'
import type { Clock } from '../../plugin/host.ts'
import type { Sql } from '../../plugin/sql.ts'
import { createTestDatabase } from '../../testing/test-database.ts'
import type { IdentityConfig } from '../config.ts'
import { Identity, type RateLimits } from '../identity.ts'
import { CONSOLE, createKey, type KeyOptions, revokeKey } from '../keys.ts'
import { givenMasterKeys } from '../master-keys.ts'

const ELSEWHERE = '198.51.100.7'

/** For tests: identities of several nodes on one database, without the nodes. */
export interface Identities {
  /** A pool on the core's tables. */
  readonly sql: Sql
  /** Another node. */
  node(options?: NodeOptions): Promise<TestIdentity>
  key(options?: Partial<KeyOptions>): Promise<{ readonly id: string; readonly token: string }>
  /** Revokes as some node does that these do not know. */
  revoke(id: string): Promise<void>
  stop(): Promise<void>
}

export interface NodeOptions {
  readonly clock?: Clock
  readonly limits?: Partial<RateLimits>
  readonly config?: IdentityConfig
}

export interface TestIdentity {
  readonly identity: Identity
  /** The `access` of what has ended, in order. */
  readonly ended: string[]
  /** Ends the node's connections as a broken network does. */
  readonly sql: Sql
  /** The bearer's principal, or the code of the refusal. */
  ask(token?: string, address?: string, forwarded?: string): Promise<Principal | { readonly code: unknown }>
}

const systemClock: Clock = { now: () => Date.now(), sleep: () => Promise.reject(new Error('not in these tests')) }

export async function createIdentities(): Promise<Identities> {
  const database = await createTestDatabase()
  const options = { ...database.options, searchPath: [CORE_SCHEMA] }
  const sql = connect(options, { max: 4 })
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
  const nodes: TestIdentity[] = []
  return {
    sql,
    async node({ clock = systemClock, limits = {}, config = {} } = {}) {
      const pool = connect(options, { max: 4 })
      const identity = new Identity({
        sql: pool,
        clock,
        log: silentLog,
        config,
        hostname: '127.0.0.1',
        masterKeys: givenMasterKeys('1'.repeat(64), 'test'),
        network: () => ({ name: 'test', id: null }),
        limits: { ...DEFAULT_LIMITS, ...limits },
        accountScopes: [],
      })
      const ended: string[] = []
      identity.onEnded((access) => ended.push(access))
      await identity.start()
      const node: TestIdentity = {
        identity,
        ended,
        sql: pool,
        async ask(token, address = ELSEWHERE, forwarded) {
          try {
            const authorization = token === undefined ? undefined : `Bearer ${token}`
            return await identity.authenticate({ authorization, address, forwarded })
          } catch (error) {
            return { code: Object(Object(error).extensions).code }
          }
        },
      }
      nodes.push(node)
      return node
    },
    async key(given = {}) {
      const plain = {
        name: 'k',
        account: null,
        scopes: [],
        expiresAt: null,
        rate: null,
        capTotal: null,
        capDaily: null,
      }
      const made = await sql.begin((tx) =>
        createKey(tx, CONSOLE, { ...plain, ...given }, Date.now(), { rate: { perSecond: 1, burst: 1 } }),
      )
      return { id: made.key.id, token: made.token }
    },
    async revoke(id) {
      await sql.begin((tx) => revokeKey(tx, CONSOLE, id))
    },
    async stop() {
      for (const { identity, sql: pool } of nodes) {
        await identity.stop()
        await pool.end({ timeout: 1 })
      }
      await sql.end({ timeout: 1 })
      await database.drop()
    },
  }
}
