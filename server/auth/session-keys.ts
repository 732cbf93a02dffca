import { randomBytes } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'

const DAY_MS = 24 * 60 * 60_000
/** How long a node signs with one key; what it signed stays good for its own time. */
const SIGN_FOR_MS = DAY_MS
const KEPT_FOR_MS = 2 * DAY_MS
const MAX_REMEMBERED = 1_000

const PublicKey = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })

/** A secret key, and what others find its public half under. */
export interface Signer {
  readonly id: string
  readonly key: CryptoKey
}

/**
 * The keys that nodes sign tokens with. Each node makes its own and keeps the secret half to itself; the public halves
 * are in the database, so that every node takes every node's tokens, and a restart signs nobody out.
 */
export class SessionKeys {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #known = new LRUCache<string, { readonly key: CryptoKey; readonly until: number }>({ max: MAX_REMEMBERED })
  #signer: (Signer & { readonly until: number }) | undefined
  #making: Promise<Signer> | undefined

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql
    this.#clock = clock
  }

  /** The key to sign with now. */
  async signer(): Promise<Signer> {
    if (this.#signer !== undefined && this.#signer.until > this.#clock.now()) return this.#signer
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    })
    return this.#making
  }

  /** The public key of this id, if a node signs or has lately signed with it. */
  async find(id: string): Promise<CryptoKey | undefined> {
    const known = this.#known.get(id)
    const now = this.#clock.now()
    if (known !== undefined) return known.until > now ? known.key : undefined
    const [row] = await this.#sql<{ jwk: unknown; expires_at: Date }[]>`
      select jwk, expires_at from core.session_key where id = ${id}`
    if (row === undefined || row.expires_at.getTime() <= now) return undefined
    const key = await importJWK(PublicKey.parse(row.jwk), 'EdDSA')
    if (key instanceof Uint8Array) return undefined
    this.#known.set(id, { key, until: row.expires_at.getTime() })
    return key
  }

  async #make(): Promise<Signer> {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: false })
    const id = randomBytes(9).toString('base64url')
    const now = this.#clock.now()
    const { kty, crv, x }: JWK = await exportJWK(publicKey)
    const jwk = PublicKey.parse({ kty, crv, x })
    await this.#sql`delete from core.session_key where expires_at < ${new Date(now)}`
    await this.#sql`
      insert into core.session_key (id, jwk, expires_at)
      values (${id}, ${this.#sql.json(jwk)}, ${new Date(now + KEPT_FOR_MS)})`
    this.#signer = { id, key: privateKey, until: now + SIGN_FOR_MS }
    return this.#signer
  }
}
