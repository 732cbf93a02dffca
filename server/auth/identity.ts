import { GraphQLError } from 'graphql'
import { ANONYMOUS, type Principal } from '../../schema/index.ts'
import type { Authenticate, Credentials } from '../graphql/authenticate.ts'
import type { Limits } from '../graphql/limits.ts'
import type { Custody } from '../plugin/custody.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import { sealingKeys } from './accounts.ts'
import { isApiKey } from './api-key.ts'
import { AuditLog } from './audit.ts'
import { audienceCheck, type IdentityConfig } from './config.ts'
import { makeCustody } from './custody.ts'
import { badCredentials, cannotTell, rateLimited } from './errors.ts'
import { Expiries } from './expiries.ts'
import { KeyRing } from './key-ring.ts'
import { AddressLimits, clientAddress, clientName, isLoopback } from './limits.ts'
import type { MasterKeySource } from './master-keys.ts'
import { prune } from './prune.ts'
import { ACCOUNT_SCOPES, CREATE_ACCOUNTS } from './scopes.ts'
import { Sessions, type SignInNetwork } from './sessions.ts'
import { type Rate, TokenBuckets } from './token-buckets.ts'
import { Vault } from './vault.ts'

const SWEEP_MS = 1_000
const PRUNE_EVERY_MS = 60 * 60_000
/** Keys and accounts that are made or changed: of one account, and of all accounts together. */
const CHANGES = { own: { perSecond: 1, burst: 60 }, all: { perSecond: 20, burst: 2_000 } }
const MAX_CHANGERS = 10_000

/** How much strangers and keys may ask; see `Limits`. */
export type RateLimits = Pick<
  Limits,
  'requestsPerSecond' | 'requestsAtOnce' | 'keyRequestsPerSecond' | 'keyRequestsAtOnce'
>

/** What identity needs of the node. */
export interface IdentityOptions {
  /** A pool on the core's tables. */
  readonly sql: Sql
  readonly clock: Clock
  readonly log: Log
  readonly config: IdentityConfig
  /** What the server listens at. */
  readonly hostname: string
  readonly masterKeys: MasterKeySource
  readonly network: () => SignInNetwork
  readonly limits: RateLimits
  /** Scopes that plugins let every account have, besides the core's. */
  readonly accountScopes: readonly string[]
}

/** Who is who on this node, and what they may do. */
export class Identity {
  readonly sql: Sql
  readonly clock: Clock
  readonly vault: Vault
  readonly audit: AuditLog
  readonly custody: Custody
  readonly sessions: Sessions
  readonly config: IdentityConfig
  /** The rate of keys that are made without one. */
  readonly keyRate: Rate
  /** What every account may do with its own. */
  readonly accountScopes: readonly string[]
  readonly #keys: KeyRing
  readonly #addresses: AddressLimits
  readonly log: Log
  readonly #changes: TokenBuckets
  readonly #expiries = new Expiries((access) => this.#ended(access))
  readonly #listeners = new Set<(access: string) => void>()
  #sweep: NodeJS.Timeout | undefined
  #pruned = 0
  #pruning: Promise<void> | undefined

  constructor(options: IdentityOptions) {
    const { sql, clock, log, config, limits } = options
    this.sql = sql
    this.clock = clock
    this.config = config
    this.keyRate = { perSecond: limits.keyRequestsPerSecond, burst: limits.keyRequestsAtOnce }
    this.log = log
    this.accountScopes = [...ACCOUNT_SCOPES, ...options.accountScopes]
    this.#changes = new TokenBuckets(MAX_CHANGERS, () => clock.now())
    this.vault = new Vault(options.masterKeys)
    this.audit = new AuditLog(sql, clock, log)
    this.custody = makeCustody(this.vault, clock, log)
    this.#addresses = new AddressLimits({ perSecond: limits.requestsPerSecond, burst: limits.requestsAtOnce }, clock)
    const shared = {
      sql,
      clock,
      onKnown: (access: string, until: number) => this.#expiries.add(access, until),
      beforeLookUp: (address: string) => this.#addresses.lookUp(address),
    }
    this.#keys = new KeyRing({ ...shared, log, onEnded: (access) => this.#ended(access) })
    this.sessions = new Sessions({
      ...shared,
      // A wallet costs nothing to make: signing in gives no more than staying anonymous, wherever one asks from.
      onRequest: ({ id }, address) => this.#addresses.walletRequest(id, address),
      network: options.network,
      isAudience: audienceCheck(config.publicUrls ?? [], options.hostname),
      scopes: [
        ...this.accountScopes,
        ...((config.openAccounts ?? isLoopback(options.hostname)) ? [CREATE_ACCOUNTS] : []),
      ],
    })
  }

  async start(): Promise<void> {
    await this.#keys.start()
    await this.#checkKeystore()
    this.#sweep = setInterval(() => this.#tick(), SWEEP_MS)
    this.#sweep.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep)
    await this.#keys.stop()
    await this.#pruning
  }

  /** Tells who a client is: at once, for those who were here before. */
  readonly authenticate: Authenticate = (credentials) => {
    const { authorization } = credentials
    const address = this.#addressOf(credentials)
    if (authorization === undefined) {
      this.#addresses.request(address)
      return ANONYMOUS
    }
    const token = bearerOf(authorization)
    const known = isApiKey(token) ? this.#keys.authenticate(token, address) : this.sessions.authenticate(token, address)
    return known instanceof Promise ? known.catch((error: unknown) => this.#failed(error)) : known
  }

  /** Whom what a client takes is counted for, wherever it shows who it is. */
  readonly clientOf = (credentials: Credentials): string | undefined => clientName(this.#addressOf(credentials))

  /** Ends a key on this node at once; other nodes hear of it by the database. */
  async revoked(id: string): Promise<void> {
    await this.#keys.revoke(id)
  }

  /** Adds what is called with the `access` of principals that are none any more. */
  onEnded(listener: (access: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Counts something that leaves rows behind. Operators do as much as they like. @throws GraphQLError RATE_LIMITED */
  pace({ account }: Principal): void {
    if (account === null) return
    const own = Buffer.from(account).toString('base64')
    const wait = this.#changes.take(own, CHANGES.own) || this.#changes.take('all', CHANGES.all)
    if (wait > 0) throw rateLimited(wait)
  }

  /** Counts what one account alone asks too often. @throws GraphQLError RATE_LIMITED */
  paceOwn({ account }: Principal): void {
    if (account === null) return
    const wait = this.#changes.take(`own ${Buffer.from(account).toString('base64')}`, CHANGES.own)
    if (wait > 0) throw rateLimited(wait)
  }

  /** Tells an operator early that the node cannot sign for some accounts; it serves all else. */
  async #checkKeystore(): Promise<void> {
    const missing = this.vault.missing(await sealingKeys(this.sql))
    if (missing.length === 0) return
    this.log.error(
      { keys: missing, where: this.vault.where },
      'KEYSTORE_KEY_MISSING: accounts are sealed under master keys that are not there; add them, to sign for these accounts',
    )
  }

  #addressOf({ address, forwarded }: Credentials): string {
    return clientAddress(address, forwarded, this.config.trustedProxies ?? 0)
  }

  #failed(error: unknown): Principal {
    if (error instanceof GraphQLError) throw error
    this.log.warn({ error }, 'could not look up who a client is')
    throw cannotTell()
  }

  #ended(access: string): void {
    for (const listener of this.#listeners) listener(access)
  }

  #tick(): void {
    const now = this.clock.now()
    this.#expiries.sweep(now)
    if (this.#pruning !== undefined || Math.abs(now - this.#pruned) < PRUNE_EVERY_MS) return
    this.#pruned = now
    this.#pruning = prune(this.sql, now)
      .catch((error: unknown) => this.log.warn({ error }, 'could not remove old entries of the audit log'))
      .finally(() => {
        this.#pruning = undefined
      })
  }
}

/** The token of `Bearer <token>`. */
function bearerOf(authorization: string): string {
  // As nearly everybody writes it.
  if (authorization.startsWith('Bearer dk_')) return authorization.slice('Bearer '.length)
  const found = /^bearer +([!-~]+) *$/i.exec(authorization)?.[1]
  if (found === undefined) throw badCredentials()
  return found
}
