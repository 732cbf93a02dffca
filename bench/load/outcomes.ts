import { z } from 'zod'
import type { HttpAnswer } from './http-connection.ts'

const Outcome = z.union([
  z.object({ __typename: z.literal('TransactionAccepted'), transaction: z.object({ status: z.string() }) }),
  z.object({ __typename: z.literal('TransactionRefused'), code: z.string(), message: z.string() }),
])

const Document = z.object({
  data: z.object({ outcome: Outcome.optional(), outcomes: z.array(Outcome).optional() }).nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() })).optional(),
})

/** What became of one transaction: its status, or the code of its refusal. */
export type SubmissionOutcome = { readonly status: string } | { readonly refused: string }

/** What a request came to: outcomes in the order of its transactions; or nothing was taken, and it may be repeated. */
export type SubmissionAnswer = { readonly outcomes: readonly SubmissionOutcome[] } | { readonly error: string }

/** Codes of answers that say: the same bytes again, in a moment. */
const REPEATABLE = new Set(['OVERLOADED', 'SHARD_UNAVAILABLE', 'DATABASE_UNAVAILABLE'])

/** Reads a GraphQL answer. @throws Error if it is none, or an error that repeating cannot mend. */
export function readAnswer({ status, body }: HttpAnswer): SubmissionAnswer {
  if (status !== 200) throw new TypeError(`the node answered ${status}: ${body.toString('utf8', 0, 300)}`)
  const { data, errors } = Document.parse(JSON.parse(body.toString('latin1')))
  const [error] = errors ?? []
  if (error !== undefined) {
    const code = error.extensions?.code ?? 'INTERNAL'
    if (REPEATABLE.has(code)) return { error: code }
    throw new TypeError(`the node refused a request: ${code}: ${error.message}`)
  }
  const found = data?.outcomes ?? (data?.outcome === undefined ? [] : [data.outcome])
  return {
    outcomes: found.map((outcome) =>
      outcome.__typename === 'TransactionAccepted'
        ? { status: outcome.transaction.status }
        : { refused: `${outcome.code}: ${outcome.message}` },
    ),
  }
}
