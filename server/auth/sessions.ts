import { hash, randomBytes } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { fromHex, signInBytes, toHex } from '../../protocol/index.ts'
import type { Principal } from '../../schema/index.ts'
import { verify } from '../crypto/ed25519.ts'
import type { Clock } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import { badCredentials, IdentityError } from './errors.ts'
import { walletPrincipal } from './principals.ts'
import { SessionKeys } from './session-keys.ts'

const CHALLENGE_MS = 5 * 60_000
const SESSION_MS = 15 * 60_000
const MAX_SESSIONS = 10_000
const ISSUER = 'deaios'
/** What a token is for: one kind never passes for the other. */
const CHALLENGE = 'deaios-challenge+jwt'
const SESSION = 'deaios-session+jwt'
/** Longer ones are none of ours. */
const MAX_TOKEN = 2_048

/** Which network people sign in to. */
export interface SignInNetwork {
  readonly name: string
  readonly id: Uint8Array | null
}

export interface SessionsParts {
  readonly sql: Sql
  readonly clock: Clock
  readonly network: () => SignInNetwork
  /** Whether this host and port are a name of this server. */
  readonly isAudience: (audience: string) => boolean
  /** What those who sign in may do. */
  readonly scopes: readonly string[]
  /** Called with the `access` of a bearer and when it ends, in milliseconds since 1970. */
  readonly onKnown: (access: string, until: number) => void
  /** Called for each request of somebody who has signed in; throws to refuse. */
  readonly onRequest: (principal: Principal, address: string) => void
  /** Called before a token is looked at that is not remembered; throws to refuse. */
  readonly beforeLookUp: (address: string) => void
}

/** What to sign, besides what the client knows itself. */
export interface Challenge {
  /** To be sent back; it holds the nonce. */
  readonly challenge: string
  readonly nonce: string
  readonly expiresAt: Date
  readonly network: SignInNetwork
}

/** Somebody has signed in. */
export interface Session {
  readonly token: string
  readonly expiresAt: Date
  readonly address: Uint8Array
}

interface Known {
  readonly principal: Principal
  readonly until: number
}

/** Sign-in by a wallet's signature, and the tokens that come of it. */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #keys: SessionKeys
  /** By the token's hash, so that no token lies about in memory. */
  readonly #known = new LRUCache<string, Known>({ max: MAX_SESSIONS })

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#keys = new SessionKeys(parts.sql, parts.clock)
  }

  /** Asks for a signature. Nothing is stored: whoever asks for many costs nothing but the asking. */
  async challenge(address: Uint8Array): Promise<Challenge> {
    const expiresAt = this.#parts.clock.now() + CHALLENGE_MS
    const nonce = randomBytes(24).toString('base64url')
    const challenge = await this.#sign(CHALLENGE, { jti: nonce, sub: toHex(address) }, expiresAt)
    return { challenge, nonce, expiresAt: dateOf(expiresAt), network: this.#parts.network() }
  }

  /**
   * Signs in with the answer to a challenge. Each is good for one sign-in, on whichever node.
   * @throws IdentityError BAD_SIGN_IN
   */
  async signIn(challenge: string, audience: string, signature: Uint8Array): Promise<Session> {
    const { sql, clock, network, isAudience } = this.#parts
    const claims = await this.#verified(CHALLENGE, challenge)
    if (claims === undefined) throw refused('The challenge is not one of this server, or is over. Ask for another.')
    if (!isAudience(audience))
      throw refused(
        `This server is not known as ${JSON.stringify(audience.slice(0, 200))}. If it is yours, name it in publicUrls.`,
      )
    const { nonce, address, expiresAt } = claims
    const { name, id } = network()
    const message = signInBytes({ network: name, networkId: id, audience, address, nonce, expiresAt })
    if (!verify(signature, message, address))
      throw refused('The signature is not one of this address over this challenge.')
    const now = clock.now()
    const used = await sql`
      insert into core.used_challenge (id, expires_at) values (${nonce}, ${dateOf(expiresAt + CHALLENGE_MS)})
      on conflict do nothing`
    if (used.count !== 1) throw refused('This challenge was used already. Ask for another.')
    await sql`
      delete from core.used_challenge where id in (
        select id from core.used_challenge where expires_at < ${dateOf(now)} limit 100)`
    const until = now + SESSION_MS
    const subject = { jti: randomBytes(12).toString('base64url'), sub: toHex(address) }
    return { token: await this.#sign(SESSION, subject, until), expiresAt: dateOf(until), address }
  }

  /**
   * Who bears a token; at once if it is remembered.
   * @throws GraphQLError UNAUTHENTICATED (also by the promise)
   */
  authenticate(token: string, address: string): Principal | Promise<Principal> {
    if (token.length > MAX_TOKEN) throw badCredentials()
    const name = hash('sha256', token, 'base64')
    const known = this.#known.get(name)
    if (known === undefined) return this.#lookUp(name, token, address)
    if (known.until <= this.#parts.clock.now()) throw badCredentials()
    this.#parts.onRequest(known.principal, address)
    return known.principal
  }

  async #lookUp(name: string, token: string, from: string): Promise<Principal> {
    this.#parts.beforeLookUp(from)
    const claims = await this.#verified(SESSION, token)
    if (claims === undefined) throw badCredentials()
    const principal = walletPrincipal(claims.address, this.#parts.scopes)
    this.#known.set(name, { principal, until: claims.expiresAt })
    this.#parts.onKnown(principal.access, claims.expiresAt)
    this.#parts.onRequest(principal, from)
    return principal
  }

  async #sign(typ: string, claims: JWTPayload, expiresAt: number): Promise<string> {
    const { id, key } = await this.#keys.signer()
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', kid: id, typ })
      .setIssuer(ISSUER)
      .setAudience(typ)
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(key)
  }

  /** What a token of this kind says; undefined if it is not one of ours, or over. */
  async #verified(typ: string, token: string) {
    if (token.length > MAX_TOKEN) return undefined
    const kid = kidOf(token)
    const key = kid === undefined ? undefined : await this.#keys.find(kid)
    if (key === undefined) return undefined
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        audience: typ,
        typ,
        currentDate: new Date(this.#parts.clock.now()),
        requiredClaims: ['sub', 'jti', 'exp'],
      })
      const { sub = '', jti = '', exp = 0 } = payload
      return { address: fromHex(sub), nonce: jti, expiresAt: exp * 1000 }
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }
}

const refused = (message: string): IdentityError => new IdentityError('BAD_SIGN_IN', message)

/** Whole seconds, as tokens have them. */
const dateOf = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

function kidOf(token: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token)
    return typeof kid === 'string' && /^[A-Za-z0-9_-]{12}$/.test(kid) ? kid : undefined
  } catch (error) {
    if (error instanceof TypeError || error instanceof errors.JOSEError) return undefined
    throw error
  }
}
