import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { apiError } from '../../schema/index.ts'
import type { GraphqlParams } from './engine.ts'
import { type Refusable, refused } from './refusable.ts'
import type { TrustedDocuments } from './trusted-documents.ts'

/** How many documents are remembered by their hash, and how many characters of them. */
const MAX_DOCUMENTS = 10_000
const MAX_CHARACTERS = 8 << 20

/** `extensions.persistedQuery`, checked. */
interface Hashed {
  readonly hash: string
}

/**
 * Documents that a request names instead of sending: trusted ones, by the operator's ids, and those that some client
 * has sent before, by their SHA-256 ("automatic persisted queries").
 */
export class PersistedDocuments {
  readonly #trusted: TrustedDocuments | undefined
  readonly #byHash = new LRUCache<string, string>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ length }) => length + 1,
  })

  constructor(trusted?: TrustedDocuments) {
    this.#trusted = trusted
  }

  /** The document that a request is about. */
  find({ query, documentId, extensions }: GraphqlParams): Refusable<string> {
    const trusted = this.#trusted
    const asked = extensions?.persistedQuery
    if (!query && documentId != null) return this.#byId(documentId)
    if (asked === undefined) {
      if (typeof query !== 'string') return refused(apiError('BAD_REQUEST', '`query` must be a string.'))
      if (trusted?.only === true && !trusted.texts.has(query)) return notTrusted()
      return { ok: true, value: query }
    }
    const hashed = hashOf(asked)
    if ('ok' in hashed) return hashed
    return this.#byHashOf(hashed, query)
  }

  /** Remembers a document that has been found good, if its request asked for that. */
  keep({ query, extensions }: GraphqlParams): void {
    if (extensions?.persistedQuery === undefined || !query || this.#trusted?.only === true) return
    const hashed = hashOf(extensions.persistedQuery)
    if (!('ok' in hashed) && this.#byHash.get(hashed.hash) === undefined) this.#byHash.set(hashed.hash, query)
  }

  #byId(id: string): Refusable<string> {
    const text = this.#trusted?.byId.get(id)
    if (text !== undefined) return { ok: true, value: text }
    return refused(
      apiError(
        'DOCUMENT_UNKNOWN',
        `There is no trusted document ${JSON.stringify(id.slice(0, 100))}. Use an id of the manifest that the node was given.`,
      ),
    )
  }

  #byHashOf({ hash }: Hashed, query: string | undefined): Refusable<string> {
    const known = this.#trusted?.byId.get(hash) ?? this.#byHash.get(hash)
    // Over WebSocket `query` must be there, and is empty.
    if (!query) {
      if (known !== undefined) return { ok: true, value: known }
      return refused(this.#trusted?.only === true ? notSupported() : notFound())
    }
    if (known === query) return { ok: true, value: query }
    if (this.#trusted?.only === true && !this.#trusted.texts.has(query)) return notTrusted()
    if (createHash('sha256').update(query).digest('hex') !== hash) {
      return refused(
        apiError(
          'PERSISTED_QUERY_HASH_MISMATCH',
          '`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`, in hex. Hash the document as sent, in UTF-8.',
        ),
      )
    }
    return { ok: true, value: query }
  }
}

function hashOf(asked: unknown): Hashed | Refusable<never> {
  if (typeof asked === 'object' && asked !== null && 'version' in asked && 'sha256Hash' in asked) {
    const { version, sha256Hash } = asked
    if (version !== 1) return refused(notSupported())
    if (typeof sha256Hash === 'string' && /^[0-9a-fA-F]{64}$/.test(sha256Hash))
      return { hash: sha256Hash.toLowerCase() }
  }
  return refused(
    apiError(
      'BAD_REQUEST',
      '`extensions.persistedQuery` must be `{ version: 1, sha256Hash }`, with the 64 hex digits of a SHA-256.',
    ),
  )
}

// Clients know these two by their messages, so those must be exactly as the protocol has them.
const notFound = () => apiError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound')
const notSupported = () => apiError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported')

const notTrusted = (): Refusable<never> =>
  refused(
    apiError(
      'DOCUMENT_NOT_TRUSTED',
      'This node answers only documents that it was given. Send the `documentId` of one of them, or its exact text.',
    ),
  )
