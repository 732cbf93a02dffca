import { type ExecutionResult, getIntrospectionQuery } from 'graphql'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { Engine, type GraphqlParams } from './engine.ts'
import { type ZooLog, zooSchema } from './fixtures/zoo.ts'
import { compilesOperations } from './jit.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { RequestContext } from './request-context.ts'

const log: ZooLog = { loads: [], order: [], aborted: 0 }
const engine = new Engine({ schema: zooSchema(log), limits: DEFAULT_LIMITS, log: silentLog })

const plain = (result: ExecutionResult): unknown => {
  const json = JSON.parse(JSON.stringify(result))
  for (const error of json.errors ?? []) {
    if (error.extensions?.id !== undefined) {
      error.extensions.id = 'some id'
      error.message = error.message.replace(/under .*\./, 'under some id.')
    }
  }
  json.errors?.sort((a: { path?: unknown }, b: { path?: unknown }) => String(a.path).localeCompare(String(b.path)))
  return json
}

async function run(params: GraphqlParams, how: 'run' | 'interpret'): Promise<unknown> {
  const operation = engine.resolve(params)
  if (!('node' in operation)) return plain({ errors: operation })
  return plain(await engine[how](operation, params.variables, new RequestContext(params.extensions ?? {})))
}

/** Compiled or not, an operation has one answer. */
async function same(params: GraphqlParams): Promise<{
  data?: unknown
  errors?: { message: string; path?: unknown; extensions: { code: string } }[]
  extensions?: unknown
}> {
  const interpreted = await run(params, 'interpret')
  await run(params, 'run')
  await run(params, 'run')
  expect(await run(params, 'run')).toEqual(interpreted)
  return interpreted as never
}

const codes = async (query: string, variables?: Record<string, unknown>) =>
  (await same({ query, variables })).errors?.map(({ extensions }) => extensions.code)

describe('compiled operations answer as interpreted ones do', () => {
  test.each([
    '{ hello }',
    '{ hello(name: "you") again: hello(name: null) }',
    'query ($n: String = "there") { hello(name: $n) }',
    '{ animal(id: "a") { id kind friends { id friends { id kind } } } }',
    '{ animal(id: "c") { id friends { id } } }',
    '{ animal(id: "c") { id strictFriends { id } } }',
    '{ animal(id: "missing") { id } }',
    '{ deep { id } }',
    '{ hello never }',
    '{ animals(first: 3) { id __typename being { name __typename ... on Cat { purrs } ... on Dog { barks } } } }',
    '{ pets { __typename ... on Cat { name purrs } ... on Dog { name barks } } }',
    '{ ghosts { name } }',
    '{ animal(id: "g") { being { name } } }',
    '{ animal(id: "g") { laterBeing { name } id } }',
    '{ lateItems }',
    '{ coded uncoded broken brokenLater thrownText away badBytes hello }',
    '{ meta }',
    'mutation { refuse { code message __typename } }',
    'mutation { a: step(name: "one", ms: 4) b: step(name: "bad", ms: 0) c: step(name: "two", ms: 1) }',
    '{ checked(n: 3) bad: checked(n: 11) }',
    '{ __schema { queryType { name fields { name type { name kind } } } } __typename }',
    '{ echo(n: 3, x: 1.5, yes: true) }',
    '{ echo(bytes: "0x0102", big: "123456789012345678901234567890", time: "2026-01-02T03:04:05Z", json: { a: [1, "b"] }) }',
    '{ echo(big: 5, list: "0xaa", filter: { key: "0x01", words: "w", size: SMALL }) }',
    '{ echo(size: LARGE) }',
    'query ($b: Bytes = "0x01") { echo(bytes: $b) }',
  ])('%s', async (query) => {
    await same({ query })
  })

  test.each<[query: string, variables: Record<string, unknown>]>([
    ['query ($b: Bytes!) { echo(bytes: $b) }', { b: '0x00ff' }],
    ['query ($b: Bytes!) { echo(bytes: $b) }', { b: '0x0' }],
    ['query ($b: Bytes!) { echo(bytes: $b) }', { b: null }],
    ['query ($b: Bytes!) { echo(bytes: $b) }', {}],
    ['query ($l: [Bytes!]!) { echo(list: $l) }', { l: ['0x00', '0x01'] }],
    ['query ($l: [Bytes!]!) { echo(list: $l) }', { l: '0x00' }],
    ['query ($l: [Bytes!]!) { echo(list: $l) }', { l: ['0x00', null] }],
    ['query ($l: [Bytes!]!) { echo(list: $l) }', { l: ['0x00', '0xzz', `0x${'0'.repeat(5001)}`] }],
    ['query ($f: Filter) { echo(filter: $f) }', { f: { key: '0x01', words: ['a'], size: 'LARGE' } }],
    ['query ($f: Filter) { echo(filter: $f) }', { f: { unknown: 1 } }],
    ['query ($f: Filter) { echo(filter: $f) }', { f: { size: 'HUGE' } }],
    ['query ($f: Filter) { echo(filter: $f) }', { f: [] }],
    ['query ($n: Int) { echo(n: $n) }', { n: 2 ** 31 }],
    ['query ($n: Int) { echo(n: $n) }', { n: '1' }],
    ['query ($n: Int) { echo(n: $n) }', { n: null }],
    ['query ($x: Float) { echo(x: $x) }', { x: 1e308 }],
    ['query ($big: BigInt) { echo(big: $big) }', { big: '007' }],
    ['query ($t: DateTime) { echo(time: $t) }', { t: 'yesterday' }],
    ['query ($j: JSON) { echo(json: $j) }', { j: { deep: [{}] } }],
    ['query ($w: String!) { echo(filter: { words: [$w], size: LARGE }) }', { w: 'x' }],
    [
      'query ($yes: Boolean!) { hello @include(if: $yes) animal(id: "a") @skip(if: $yes) { id ... @include(if: $yes) { kind } } }',
      { yes: true },
    ],
    [
      'query ($yes: Boolean!) { hello @include(if: $yes) animal(id: "a") @skip(if: $yes) { id ... @include(if: $yes) { kind } } }',
      { yes: false },
    ],
    [
      'query ($yes: Boolean!) { animal(id: "a") { id } animal(id: "a") @include(if: $yes) { kind } ...F @skip(if: $yes) } fragment F on Query { animal(id: "a") { friends { id } } }',
      { yes: false },
    ],
    [
      'mutation ($yes: Boolean!) { refuse { ...A message } refuse @include(if: $yes) { a0: code ...B __typename } } fragment A on Refused { a5: message } fragment B on Refused { a2: code __typename }',
      { yes: false },
    ],
    ['query ($a: Boolean!, $b: Boolean!) { uncoded @skip(if: $a) uncoded @include(if: $b) }', { a: false, b: false }],
    ['query ($n: String) { hello(name: $n) }', { n: null, unused: 3 }],
    ['query ($n: String) { hello(name: $n) }', { __proto__: null }],
    ['query ($id: String! = "a") { animal(id: $id) { id } }', { id: null }],
  ])('%s with variables %$', async (query, variables) => {
    await same({ query, variables })
  })

  test('mutations run one after the other', async () => {
    const query = 'mutation { a: step(name: "one", ms: 8) b: step(name: "two", ms: 0) }'
    await same({ query })
    log.order.length = 0
    await run({ query }, 'run')
    expect(log.order).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  })

  test('relations load in one batch a level', async () => {
    const query = '{ animals { friends { id friends { id } } } }'
    await same({ query })
    log.loads.length = 0
    await run({ query }, 'run')
    expect(log.loads.map((ids) => [...ids].sort())).toEqual([['a', 'b', 'c'], ['missing']])
  })
})

test('operations are compiled at all', () => {
  expect(compilesOperations).toBe(true)
})

describe('errors', () => {
  test('keep their code if they have one, and are hidden behind an id if not', async () => {
    const answer = await same({ query: '{ coded uncoded broken brokenLater away badBytes checked(n: 11) }' })
    expect(
      Object.fromEntries((answer.errors ?? []).map(({ path, extensions }) => [String(path), extensions.code])),
    ).toEqual({
      coded: 'ODD',
      uncoded: 'BAD_REQUEST',
      broken: 'INTERNAL_SERVER_ERROR',
      brokenLater: 'INTERNAL_SERVER_ERROR',
      away: 'UNAVAILABLE',
      badBytes: 'INTERNAL_SERVER_ERROR',
      checked: 'BAD_USER_INPUT',
    })
    expect(JSON.stringify(answer)).not.toMatch(/secret|password|ECONNREFUSED|not bytes/)
  })

  test('of one plugin null only its own fields', async () => {
    expect(await same({ query: '{ hello broken }' })).toMatchObject({ data: { hello: 'hello world', broken: null } })
  })

  test('stay in their place in a list', async () => {
    const { data, errors } = await same({ query: '{ lateItems }' })
    expect(data).toEqual({ lateItems: ['first', null, 'third'] })
    expect(errors).toMatchObject([{ path: ['lateItems', 1], extensions: { code: 'ITEM' } }])
  })

  test('quote no more than the beginning of what they refuse', async () => {
    const { errors } = await same({
      query: 'query ($b: Bytes!) { echo(bytes: $b) }',
      variables: { b: `0y${'0'.repeat(100_000)}` },
    })
    expect(errors?.[0]?.message.length).toBeLessThan(1100)
  })

  test('a resolver can add to the extensions of the response', async () => {
    expect(await same({ query: '{ meta }', extensions: { atLeastHeight: 4 } })).toMatchObject({
      extensions: { height: 5 },
    })
  })
})

describe('limits', () => {
  const nested = (depth: number) => `{ animal(id: "a") ${'{ friends '.repeat(depth)} { id } ${'}'.repeat(depth)} }`
  const circle =
    'fragment A on Animal { friends { ...B } } fragment B on Animal { friends { ...A } } { animal(id: "a") { ...A } }'
  const bomb = `${Array.from({ length: 15 }, (_, n) => `fragment F${n} on Animal { a: friends { ...F${n + 1} } b: friends { ...F${n + 1} } }`).join(' ')} fragment F15 on Animal { id } { animal(id: "a") { ...F0 } }`

  test.each([
    ['deep', nested(30), 'QUERY_TOO_DEEP'],
    ['costly by nesting lists', nested(6), 'QUERY_TOO_COSTLY'],
    ['costly by doubling fragments', bomb, 'QUERY_TOO_COSTLY'],
    ['wide', `{ ${'hello '.repeat(2500)} }`, 'QUERY_TOO_LARGE'],
    ['long', `{ hello(name: "${'x'.repeat(70_000)}") }`, 'QUERY_TOO_LARGE'],
    ['aliased', `{ ${Array.from({ length: 60 }, (_, n) => `a${n}: hello`).join(' ')} }`, 'TOO_MANY_ALIASES'],
    ['full of directives', `{ ${'hello @include(if: true) '.repeat(60)} }`, 'TOO_MANY_DIRECTIVES'],
    ['circular', circle, 'GRAPHQL_VALIDATION_FAILED'],
    ['of fields that do not exist', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['not GraphQL', '{ hello', 'GRAPHQL_PARSE_FAILED'],
    ['empty', '', 'GRAPHQL_PARSE_FAILED'],
    ['without an operation', 'fragment A on Animal { id }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'introspecting in circles',
      `{ __schema { types ${'{ fields { type '.repeat(6)} { name } ${'} }'.repeat(6)} } }`,
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ])('a document that is %s is refused before anything runs', async (_what, query, code) => {
    log.loads.length = 0
    expect((await codes(query))?.[0]).toBe(code)
    expect(log.loads).toEqual([])
  })

  test('leave room for what GraphiQL asks first', async () => {
    const query = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      inputValueDeprecation: true,
      schemaDescription: true,
      oneOf: true,
    })
    expect((await same({ query })).errors).toBeUndefined()
  })

  test('the cost follows the variables', async () => {
    const query = 'query ($n: Int) { animals(first: $n) { friends { friends { friends { id } } } } }'
    expect((await codes(query, { n: 1 }))?.includes('QUERY_TOO_COSTLY')).toBe(false)
    expect(await codes(query, { n: 100 })).toEqual(['QUERY_TOO_COSTLY'])
    expect(await codes(query, { n: 'x' })).toEqual(['BAD_USER_INPUT'])
  })

  test('a wrong or missing operation name has a code', async () => {
    const query = 'query A { hello } query B { hello }'
    expect((await same({ query, operationName: 'C' })).errors).toMatchObject([
      { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
    ])
    expect(await codes(query)).toEqual(['OPERATION_RESOLUTION_FAILURE'])
    expect(await same({ query, operationName: 'B' })).toEqual({ data: { hello: 'hello world' } })
  })
})
