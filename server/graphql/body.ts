import type { IncomingMessage } from 'node:http'
import { HttpError } from '../http/http-error.ts'
import type { GraphqlParams } from './engine.ts'

/**
 * Reads a whole body.
 * @throws HttpError REQUEST_ENTITY_TOO_LARGE as soon as it is known to be; BAD_REQUEST if the client stops in the middle
 */
export function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const tooLarge = () =>
    new HttpError(
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      `The request is larger than ${limit} bytes. Send less at a time; network { limits { bodyBytes } } tells the limit.`,
    )
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        request.pause()
        reject(tooLarge())
      } else chunks.push(chunk)
    })
    request.on('end', () => {
      const [only] = chunks
      resolve((chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size)).toString('utf8'))
    })
    const broken = () => reject(new HttpError(400, 'BAD_REQUEST', 'The request ended before its body did.'))
    request.on('aborted', broken)
    request.on('error', broken)
  })
}

const known = new Set(['query', 'variables', 'operationName', 'extensions', 'id'])
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The GraphQL request in a JSON text.
 * @throws HttpError BAD_REQUEST
 */
export function parseParams(text: string): GraphqlParams {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw bad('The body is not JSON.')
  }
  if (Array.isArray(body)) throw bad('Several requests in one body are not supported: send one, with several fields.')
  if (!isObject(body)) throw bad('The body must be a JSON object with a `query`.')
  const { query, variables, operationName, extensions } = body
  if (typeof query !== 'string') throw bad('`query` must be a string.')
  if (variables != null && !isObject(variables)) throw bad('`variables` must be an object.')
  if (operationName != null && typeof operationName !== 'string') throw bad('`operationName` must be a string.')
  if (extensions != null && !isObject(extensions)) throw bad('`extensions` must be an object.')
  for (const key in body)
    if (!known.has(key)) throw bad(`The body has an unknown key ${JSON.stringify(key.slice(0, 100))}.`)
  return { query, variables, operationName, extensions }
}

const bad = (message: string): HttpError => new HttpError(400, 'BAD_REQUEST', message)
