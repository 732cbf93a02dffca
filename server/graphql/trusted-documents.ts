import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf } from '../db/errors.ts'
import type { Log } from '../plugin.ts'
import type { Documents } from './documents.ts'

/** Documents that the operator vouches for. */
export interface TrustedDocuments {
  /** Whether nothing else is answered. */
  readonly only: boolean
  readonly byId: ReadonlyMap<string, string>
  /** The same documents, as sets are asked. */
  readonly texts: ReadonlySet<string>
}

/** A file of trusted documents cannot be used. */
export class TrustedDocumentsError extends Error {
  override readonly name = 'TrustedDocumentsError'
  readonly code = 'DOCUMENTS_INVALID'
}

const Plain = z.record(z.string().min(1).max(256), z.string().min(1))
const Apollo = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string().min(1).max(256), body: z.string().min(1) })),
})

/** Documents by the operator's ids; `only`: nothing else is answered. */
export const trustedDocuments = (documents: Iterable<readonly [id: string, text: string]>, only: boolean) => {
  const byId = new Map(documents)
  return { only, byId, texts: new Set(byId.values()) } satisfies TrustedDocuments
}

/**
 * Reads a manifest: a JSON object `{ id: document }`, as code generators and Relay write it, or Apollo's persisted query
 * manifest.
 * @param only whether nothing else is answered
 * @throws TrustedDocumentsError
 */
export async function readTrustedDocuments(file: string, only: boolean): Promise<TrustedDocuments> {
  const fail = (what: string, cause?: unknown) =>
    new TrustedDocumentsError(`${file} ${what}; it must be a JSON object { id: document }`, { cause })
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw fail(`cannot be read (${messageOf(error)})`, error)
  }
  const apollo = Apollo.safeParse(content)
  if (apollo.success) {
    return trustedDocuments(
      apollo.data.operations.map(({ id, body }) => [id, body]),
      only,
    )
  }
  const plain = Plain.safeParse(content)
  if (!plain.success) throw fail(`is not a manifest of documents (${plain.error.issues[0]?.message})`)
  return trustedDocuments(Object.entries(plain.data), only)
}

const MAX_NAMED = 5

/** Says in the log which trusted documents the schema does not fit any more; they are answered with its errors. */
export function warnOfMisfits({ byId }: TrustedDocuments, documents: Documents, log: Log): void {
  const misfits = [...byId].flatMap(([id, text]) => (documents.prepare(text).ok ? [] : [id]))
  if (misfits.length === 0) return
  log.warn(
    { misfits: misfits.length, ids: misfits.slice(0, MAX_NAMED) },
    'trusted documents do not fit the schema: write the manifest anew',
  )
}
