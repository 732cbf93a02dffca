import { hash as digest } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Principal } from '../../schema/index.ts'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import { hashText, idOf, matches } from './api-key.ts'
import { badCredentials, cannotTell, rateLimited } from './errors.ts'
import { justRevoked, type LoadedKey, loadKey, REVOKED_CHANNEL, withDescendants } from './key-rows.ts'
import { keyAccess, keyPrincipal } from './principals.ts'
import { TokenBuckets } from './token-buckets.ts'

const MAX_KEYS = 10_000
const MAX_UNKNOWN = 10_000
/** Milliseconds between two looks for revocations that the database's notice did not bring. */
const LOOK_EVERY_MS = 500
/** A node that has not heard of revocations for this long asks the database about each key. */
const BLIND_AFTER_MS = 3_000

interface Known {
  readonly key: LoadedKey
  readonly hash: string
  readonly principal: Principal
}

/** What the ring needs. */
export interface KeyRingParts {
  readonly sql: Sql
  readonly clock: Clock
  readonly log: Log
  /** Called with the `access` of bearers that are none any more. */
  readonly onEnded: (access: string) => void
  /** Called with the `access` of a bearer and when it ends, in milliseconds since 1970. */
  readonly onKnown: (access: string, until: number) => void
  /** Called before a key is looked up that is not remembered; throws to refuse. */
  readonly beforeLookUp: (address: string) => void
}

/**
 * Tells who the bearer of an API key is. Keys that were seen are remembered, so that they cost a hash and no wait; a
 * revocation reaches every node at once by the database's notice, and within half a second where that is lost.
 */
export class KeyRing {
  readonly #parts: KeyRingParts
  readonly #known = new LRUCache<string, Known>({ max: MAX_KEYS })
  /** Tokens that were not good just now, by their hash: a program that goes on with one costs no look-ups. */
  readonly #unknown = new LRUCache<string, number>({ max: MAX_UNKNOWN })
  readonly #buckets: TokenBuckets
  /** Revocations that this node has dealt with already. */
  readonly #dealtWith = new LRUCache<string, true>({ max: MAX_KEYS })
  #lastLook = 0
  #generation = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #unlisten: (() => Promise<void>) | undefined

  constructor(parts: KeyRingParts) {
    this.#parts = parts
    this.#buckets = new TokenBuckets(MAX_KEYS, () => parts.clock.now())
  }

  /** Listens for revocations. */
  async start(): Promise<void> {
    const { sql, log } = this.#parts
    const heard = (id: string): void => {
      this.revoke(id).catch((error: unknown) => log.warn({ error }, 'could not end what a revoked key had open'))
    }
    const listening = await sql.listen(REVOKED_CHANNEL, heard)
    this.#unlisten = () => listening.unlisten()
    await this.#look()
    this.#timer = setInterval(() => void this.#lookOnce(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    await this.#unlisten?.()
  }

  /**
   * The bearer's principal; at once if the key is remembered.
   * @throws GraphQLError UNAUTHENTICATED | RATE_LIMITED (also by the promise)
   */
  authenticate(token: string, address: string): Principal | Promise<Principal> {
    const id = idOf(token)
    if (id === undefined) throw badCredentials()
    const known = this.#known.get(id)
    if (known === undefined) return this.#lookUp(id, token, address)
    return this.#isBlind ? this.#admitAfterLook(id, token, address) : this.#admit(known, token)
  }

  /** Forgets a key and those that come from it, and ends what their bearers have open. */
  async revoke(id: string): Promise<void> {
    this.#generation++
    this.#dealtWith.set(id, true)
    for (const [other, { key }] of this.#known.entries())
      if (other === id || key.ancestors.includes(id)) this.#known.delete(other)
    for (const gone of await withDescendants(this.#parts.sql, id)) this.#parts.onEnded(keyAccess(gone))
  }

  /** It has not heard of revocations for too long: the database was away, or the node too busy. */
  get #isBlind(): boolean {
    return performance.now() - this.#lastLook > BLIND_AFTER_MS
  }

  async #admitAfterLook(id: string, token: string, address: string): Promise<Principal> {
    await this.#lookOnce()
    if (this.#isBlind) throw cannotTell()
    const known = this.#known.get(id)
    return known === undefined ? this.#lookUp(id, token, address) : this.#admit(known, token)
  }

  #admit({ key, hash, principal }: Known, token: string): Principal {
    if (!matches(token, hash) || key.expiresAt <= this.#parts.clock.now()) throw badCredentials()
    for (const { id, rate } of key.rates) {
      const wait = this.#buckets.take(id, rate)
      if (wait > 0) throw rateLimited(wait)
    }
    return principal
  }

  async #lookUp(id: string, token: string, address: string): Promise<Principal> {
    const name = nameOf(token)
    const generation = this.#generation
    if (this.#unknown.get(name) === generation) throw badCredentials()
    this.#parts.beforeLookUp(address)
    const key = await loadKey(this.#parts.sql, id)
    const hash = key === undefined ? '' : hashText(key.hash)
    if (key === undefined || !matches(token, hash)) {
      // A token that is wrong stays wrong: ids are random, so nobody can be about to make this very key.
      this.#unknown.set(name, generation)
      throw badCredentials()
    }
    const known = { key, hash, principal: keyPrincipal(key) }
    // If some key was revoked meanwhile it may have been this one: it is looked up again next time.
    if (generation === this.#generation) this.#known.set(id, known)
    this.#parts.onKnown(known.principal.access, key.expiresAt)
    return this.#admit(known, token)
  }

  /** All who wait for a look wait for one. Never rejects. */
  #lookOnce(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Looks for revocations that no notice came of. */
  async #look(): Promise<void> {
    const { sql, log } = this.#parts
    try {
      const at = performance.now()
      for (const id of await justRevoked(sql)) if (!this.#dealtWith.has(id)) await this.revoke(id)
      this.#lastLook = at
    } catch (error) {
      log.debug({ error }, 'could not look for revoked keys; keys are looked up one by one until that works')
    }
  }
}

/** What a token is remembered by that was not good. */
const nameOf = (token: string): string => digest('sha256', token, 'base64')
