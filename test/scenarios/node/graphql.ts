import { z } from 'zod'

/** What a GraphQL server did not do, as a client sees it. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
  /** The `extensions.code` of the first error; NO_ANSWER if the server was not there, or went away. */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

const Answer = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).optional(),
})

/** Asks a server once and checks the shape of the data. @throws AnswerError */
export async function ask<T>(
  url: string,
  schema: z.ZodType<T>,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const text = await post(url, JSON.stringify({ query, variables }))
  const { data, errors } = Answer.parse(JSON.parse(text))
  const [error] = errors ?? []
  if (error !== undefined) throw new AnswerError(error.extensions.code, error.message)
  return schema.parse(data)
}

async function post(url: string, body: string): Promise<string> {
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return await response.text()
  } catch (error) {
    throw new AnswerError('NO_ANSWER', 'the server did not answer', error)
  }
}
