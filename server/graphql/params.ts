import { HttpError } from '../http/http-error.ts'
import type { GraphqlParams } from './engine.ts'

const known = new Set(['query', 'documentId', 'id', 'variables', 'operationName', 'extensions'])
const MAX_ID = 256
/** Nesting of values: more would end in a stack that overflows, somewhere far from here. */
const MAX_NESTING = 64

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
  for (const key in body)
    if (!known.has(key)) throw bad(`The body has an unknown key ${JSON.stringify(key.slice(0, 100))}.`)
  return checked(body)
}

/**
 * The GraphQL request in the search of a URL: `query` or `documentId`, `operationName`, and `variables` and `extensions`
 * as JSON.
 * @throws HttpError BAD_REQUEST
 */
export function searchParams(url: string): GraphqlParams {
  const start = url.indexOf('?')
  const search = new URLSearchParams(start < 0 ? '' : url.slice(start))
  const text = (name: string): string | undefined => search.get(name) ?? undefined
  return checked({
    query: text('query'),
    documentId: text('documentId') ?? text('id'),
    operationName: text('operationName'),
    variables: jsonOf('variables', text('variables')),
    extensions: jsonOf('extensions', text('extensions')),
  })
}

function jsonOf(name: string, text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw bad(`\`${name}\` is not JSON.`)
  }
}

function checked(asked: Readonly<Record<string, unknown>>): GraphqlParams {
  const { query, id, documentId = id, variables, operationName, extensions } = asked
  if (variables != null && !isObject(variables)) throw bad('`variables` must be an object.')
  if (operationName != null && typeof operationName !== 'string') throw bad('`operationName` must be a string.')
  if (extensions != null && !isObject(extensions)) throw bad('`extensions` must be an object.')
  const rest = { variables, operationName, extensions }
  const deep = tooDeep(rest)
  if (deep !== undefined) throw bad(deep)
  if (query != null && typeof query !== 'string') throw bad('`query` must be a string.')
  if (query || documentId == null) {
    if (query == null && extensions?.persistedQuery === undefined)
      throw bad('`query` must be a string; or name the document by `documentId` or `extensions.persistedQuery`.')
    return { query: query ?? undefined, ...rest }
  }
  if (typeof documentId !== 'string' || documentId.length > MAX_ID)
    throw bad(`\`documentId\` must be a string of at most ${MAX_ID} characters.`)
  return { documentId, ...rest }
}

/** What is wrong if the values of a request are nested too deeply. */
export function tooDeep({ variables, extensions }: { variables?: unknown; extensions?: unknown }): string | undefined {
  const name = isNested(variables, MAX_NESTING) ? 'variables' : isNested(extensions, MAX_NESTING) && 'extensions'
  return name ? `\`${name}\` is nested more than ${MAX_NESTING} levels deep. Send flatter values.` : undefined
}

function isNested(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (isNested(inner, levels - 1)) return true
  return false
}

/** The trusted document that an operation over WebSocket names; the protocol has no place of its own for it. */
export const documentIdOf = (payload: object): string | undefined =>
  'documentId' in payload && typeof payload.documentId === 'string' ? payload.documentId : undefined

const bad = (message: string): HttpError => new HttpError(400, 'BAD_REQUEST', message)
