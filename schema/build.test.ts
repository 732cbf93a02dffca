import { type GraphQLSchema, graphql, printSchema } from 'graphql'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { typeRef } from '../server/plugin.ts'
import {
  ANONYMOUS,
  buildSchema,
  type Context,
  keysetCursor,
  pageCost,
  resolvePage,
  SchemaError,
  type SchemaPart,
} from './index.ts'

interface Station {
  readonly id: string
  readonly height: bigint
  readonly key: Uint8Array
}
const StationType = typeRef<Station>('Station')
const stations: Station[] = ['a', 'b', 'c', 'd', 'e'].map((id, n) => ({
  id,
  height: BigInt(n),
  key: new Uint8Array([n]),
}))
const cursor = keysetCursor('station', z.tuple([z.string()]), ({ id }: Station) => [id])

const weather: SchemaPart = {
  owner: 'weather',
  define(builder) {
    const station = builder.loadableNode(builder.refOf(StationType), {
      id: { resolve: ({ id }) => id },
      load: async (ids: string[]) => ids.map((id) => stations.find((known) => known.id === id) ?? new Error('none')),
      fields: (t) => ({
        height: t.expose('height', { type: 'BigInt' }),
        key: t.expose('key', { type: 'Bytes' }),
      }),
    })
    const connection = builder.connectionOf(builder.refOf(StationType))
    builder.queryField('stations', (t) =>
      t.field({
        type: connection,
        args: { ...builder.pageArgs },
        complexity: pageCost,
        resolve: (_root, args) =>
          resolvePage(args, cursor, ({ limit, after, before, reverse }) => {
            const inside = stations.filter(({ id }) => (!after || id > after[0]) && (!before || id < before[0]))
            return (reverse ? inside.reverse() : inside).slice(0, limit)
          }),
      }),
    )
    builder.queryField('first', (t) => t.field({ type: station, resolve: () => 'a' }))
  },
}

const forecast: SchemaPart = {
  owner: 'forecast',
  define(builder) {
    builder.objectField(builder.refOf(StationType), 'tomorrow', (t) =>
      t.string({ resolve: (station) => `higher than ${station.height}` }),
    )
    builder.mutationField('measure', (t) =>
      t.field({
        type: 'Bytes',
        args: { key: t.arg({ type: 'Bytes', required: true }) },
        resolve: (_root, { key }) => key,
      }),
    )
  },
}

const context: Context = {
  requestId: '1',
  signal: new AbortController().signal,
  principal: ANONYMOUS,
  requestExtensions: {},
  responseExtensions: {},
}
const run = (schema: GraphQLSchema, source: string) => graphql({ schema, source, contextValue: { ...context } })

function problemsOf(parts: readonly SchemaPart[]) {
  try {
    buildSchema(parts)
  } catch (error) {
    if (error instanceof SchemaError)
      return error.problems.map(({ code, owner, message }) => ({ code, owner, message }))
    throw error
  }
  return []
}

describe('a schema from several plugins', () => {
  test('does not depend on their order', () => {
    expect(printSchema(buildSchema([weather, forecast]))).toBe(printSchema(buildSchema([forecast, weather])))
  })

  test("answers fields that another plugin added through the token, with the token's shape as parent", async () => {
    const result = await run(
      buildSchema([forecast, weather]),
      '{ first { id height key tomorrow } node(id: "U3RhdGlvbjpi") { id ... on Station { tomorrow } } }',
    )
    expect(result).toEqual({
      data: {
        first: { id: 'U3RhdGlvbjph', height: '0', key: '0x00', tomorrow: 'higher than 0' },
        node: { id: 'U3RhdGlvbjpi', tomorrow: 'higher than 1' },
      },
    })
  })

  test('names both plugins when they define the same type', () => {
    const rival: SchemaPart = {
      owner: 'rival',
      define: (builder) =>
        void builder.objectRef<{ n: number }>('Station').implement({ fields: (t) => ({ n: t.exposeInt('n') }) }),
    }
    const [problem] = problemsOf([weather, rival])
    expect(problem).toMatchObject({ code: 'DUPLICATE_TYPE', owner: 'rival' })
    expect(problem?.message).toContain('"weather"')
  })

  test('names the plugin that adds a field twice', () => {
    const again: SchemaPart = {
      ...forecast,
      owner: 'again',
      define: (builder) =>
        builder.objectField(builder.refOf(StationType), 'tomorrow', (t) => t.string({ resolve: () => '' })),
    }
    expect(problemsOf([weather, forecast, again])).toMatchObject([{ code: 'DUPLICATE_FIELD', owner: 'again' }])
    const root: SchemaPart = {
      owner: 'root',
      define: (builder) => builder.queryField('stations', (t) => t.string({ resolve: () => '' })),
    }
    expect(problemsOf([weather, root])).toMatchObject([{ code: 'DUPLICATE_FIELD', owner: 'root' }])
  })

  test('refuses to extend a type whose plugin is absent', () => {
    expect(problemsOf([forecast])).toMatchObject([{ code: 'TYPE_MISSING', owner: 'forecast' }])
  })

  test("refuses a token that is only named like the owner's", () => {
    const forged = typeRef<{ readonly secret: string }>('Station')
    const forger: SchemaPart = {
      owner: 'forger',
      define: (builder) => builder.objectField(builder.refOf(forged), 'secret', (t) => t.exposeString('secret')),
    }
    expect(problemsOf([weather, forger])).toMatchObject([{ code: 'TOKEN_FORGED', owner: 'forger' }])
  })

  test('refuses fields on a type reached without its token', () => {
    const sneak: SchemaPart = {
      owner: 'sneak',
      define: (builder) =>
        builder.objectField(builder.userError as never, 'more', (t) => t.string({ resolve: () => '' })),
    }
    expect(problemsOf([weather, sneak])).toMatchObject([{ code: 'TYPE_NOT_OWNED', owner: 'sneak' }])
  })

  test('reports every problem at once', () => {
    const broken: SchemaPart = {
      owner: 'broken',
      define: () => {
        throw new Error('nothing here')
      },
    }
    expect(problemsOf([forecast, broken]).map(({ owner }) => owner)).toEqual(['broken', 'forecast'])
  })

  test('a wrong parent field does not compile', () => {
    const wrong: SchemaPart = {
      owner: 'wrong',
      define: (builder) => {
        builder.objectField(builder.refOf(StationType), 'depth', (t) =>
          // @ts-expect-error Station has no field `depth`
          t.string({ resolve: (station) => station.depth }),
        )
      },
    }
    expect(problemsOf([weather, wrong])).toEqual([])
  })
})

describe('a page', () => {
  const schema = buildSchema([weather])
  const ids = async (args: string) => {
    const result = await run(
      schema,
      `{ stations(${args}) { edges { cursor node { height } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
    )
    return JSON.parse(JSON.stringify(result))
  }

  test('goes forwards and backwards through all items once', async () => {
    const forwards = await ids('first: 3')
    expect(forwards.data.stations.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const rest = await ids(`first: 3, after: "${forwards.data.stations.pageInfo.endCursor}"`)
    expect(rest.data.stations.edges.map((edge: { node: { height: string } }) => edge.node.height)).toEqual(['3', '4'])
    expect(rest.data.stations.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    const backwards = await ids(`last: 2, before: "${rest.data.stations.pageInfo.startCursor}"`)
    expect(backwards.data.stations.edges.map((edge: { node: { height: string } }) => edge.node.height)).toEqual([
      '1',
      '2',
    ])
    expect(backwards.data.stations.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  })

  test.each([
    ['first: 101', 'PAGE_TOO_LARGE'],
    ['last: 101', 'PAGE_TOO_LARGE'],
    ['first: -1', 'BAD_PAGE'],
    ['first: 1, last: 1', 'BAD_PAGE'],
    [`after: "${Buffer.from('["block","a"]').toString('base64url')}"`, 'BAD_CURSOR'],
    [`after: "${Buffer.from('["station",1]').toString('base64url')}"`, 'BAD_CURSOR'],
    ['after: "bm9wZQ"', 'BAD_CURSOR'],
    ['after: "%"', 'BAD_USER_INPUT'],
  ])('with %s is refused with %s', async (args, code) => {
    const result = await ids(args)
    expect(result.errors[0].extensions.code).toBe(code)
  })
})
