import { type ExecutionResult, type GraphQLSchema, graphql, parse, printType, subscribe } from 'graphql'
import { describe, expect, test } from 'vitest'
import {
  ANONYMOUS,
  buildSchema,
  type Context,
  type Principal,
  SchemaError,
  type SchemaPart,
  scopesOf,
} from './index.ts'

const ran: string[] = []

const vault: SchemaPart = {
  owner: 'vault',
  define(builder) {
    const Drawer = builder.objectRef<{ label: string }>('Drawer').implement({
      fields: (t) => ({
        label: t.exposeString('label', { nullable: false }),
        gold: t.int({ authScopes: { scope: 'vault:gold' }, resolve: () => 79 }),
      }),
    })
    builder.queryFields((t) => ({
      open: t.string({ resolve: () => 'open' }),
      mine: t.string({ description: 'Yours.', authScopes: { signedIn: true }, resolve: () => 'mine' }),
      secret: t.string({
        description: 'Hidden.',
        authScopes: { scope: 'vault:read' },
        resolve: () => {
          ran.push('secret')
          return 'secret'
        },
      }),
      both: t.string({
        authScopes: { $all: { scope: 'vault:read' }, $any: { scope: 'vault:open' } },
        resolve: () => 'both',
      }),
      drawers: t.field({
        type: [Drawer],
        resolve: () => [{ label: 'a' }, { label: 'b' }],
      }),
    }))
    builder.subscriptionField('alarms', (t) =>
      t.string({
        authScopes: { scope: 'vault:read' },
        subscribe: async function* () {
          ran.push('alarms')
          yield 'ring'
        },
        resolve: (ring) => String(ring),
      }),
    )
  },
}

const keyWith = (...scopes: string[]): Principal => ({
  ...ANONYMOUS,
  kind: 'key',
  id: 'k1',
  scopes: new Set(scopes),
  can: (scope) => scopes.includes(scope),
})

const contextOf = (principal: Principal): Context => ({
  requestId: '1',
  signal: new AbortController().signal,
  principal,
  requestExtensions: {},
  responseExtensions: {},
})

const schema: GraphQLSchema = buildSchema([vault])

async function ask(source: string, principal: Principal) {
  const { data, errors = [] }: ExecutionResult = await graphql({ schema, source, contextValue: contextOf(principal) })
  return { data, refusals: errors.map(({ path, extensions: { code, scope } }) => [path?.join('.'), code, scope]) }
}

describe('a field with a scope', () => {
  test('refuses a stranger without running, and tells how to come in', async () => {
    ran.length = 0
    expect(await ask('{ open secret mine }', ANONYMOUS)).toEqual({
      data: { open: 'open', secret: null, mine: null },
      refusals: [
        ['secret', 'UNAUTHENTICATED', 'vault:read'],
        ['mine', 'UNAUTHENTICATED', undefined],
      ],
    })
    expect(ran).toEqual([])
  })

  test('refuses a caller without the scope and names it', async () => {
    expect(await ask('{ secret mine }', keyWith('vault:write'))).toEqual({
      data: { secret: null, mine: 'mine' },
      refusals: [['secret', 'FORBIDDEN', 'vault:read']],
    })
  })

  test('answers a caller who has it', async () => {
    expect(await ask('{ secret mine }', keyWith('vault:read'))).toEqual({
      data: { secret: 'secret', mine: 'mine' },
      refusals: [],
    })
  })

  test('can be deep inside: only it is null', async () => {
    expect(await ask('{ drawers { label gold } }', keyWith())).toMatchObject({
      data: {
        drawers: [
          { label: 'a', gold: null },
          { label: 'b', gold: null },
        ],
      },
      refusals: [
        ['drawers.0.gold', 'FORBIDDEN', 'vault:gold'],
        ['drawers.1.gold', 'FORBIDDEN', 'vault:gold'],
      ],
    })
  })

  test('asks for all rules, if there are several', async () => {
    for (const scopes of [['vault:read'], ['vault:open'], []]) {
      const { data, refusals } = await ask('{ both }', keyWith(...scopes))
      expect([data, refusals[0]?.slice(0, 2)]).toEqual([{ both: null }, ['both', 'FORBIDDEN']])
    }
    expect((await ask('{ both }', keyWith('vault:read', 'vault:open'))).data).toEqual({ both: 'both' })
  })

  test('is refused by another name, too', async () => {
    expect((await ask('{ innocent: secret ...on Query { too: secret } }', ANONYMOUS)).refusals).toHaveLength(2)
  })

  test('is checked before a subscription starts', async () => {
    ran.length = 0
    const start = (principal: Principal) =>
      subscribe({
        schema,
        document: parse('subscription { alarms }'),
        contextValue: contextOf(principal),
      })
    expect(await start(ANONYMOUS)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(await start(keyWith())).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    expect(ran).toEqual([])
    expect(Symbol.asyncIterator in (await start(keyWith('vault:read')))).toBe(true)
  })
})

describe('a type that has a guarded field of an interface', () => {
  const boxes = (own: { authScopes?: { scope: string } }): SchemaPart => ({
    owner: 'boxes',
    define(builder) {
      const Box = builder.interfaceRef<{ gold: number }>('Box').implement({
        fields: (t) => ({ gold: t.exposeInt('gold', { authScopes: { scope: 'vault:gold' } }) }),
      })
      const Chest = builder.objectRef<{ gold: number }>('Chest').implement({
        interfaces: [Box],
        isTypeOf: () => true,
        fields: (t) => ({ gold: t.exposeInt('gold', own) }),
      })
      builder.queryField('chest', (t) => t.field({ type: Chest, resolve: () => ({ gold: 1 }) }))
    },
  })

  test('guards it, too, or is not built', () => {
    expect(() => buildSchema([boxes({})])).toThrow(/plugin "boxes": Chest.gold has no authScopes.*\[RULE_LOST\]/)
    expect(() => buildSchema([boxes({ authScopes: { scope: 'vault:gold' } })])).not.toThrow()
  })
})

describe('the schema', () => {
  test('says who may read a field', () => {
    const printed = printType(schema.getQueryType() ?? expect.fail('no Query'))
    expect(printed).toContain('"""Hidden. Needs the scope `vault:read`."""')
    expect(printed).toContain('"""Yours. Needs a caller who is signed in."""')
    expect(scopesOf(schema)).toEqual(['vault:gold', 'vault:open', 'vault:read'])
  })

  test.each([
    [{}, /empty authScopes/],
    [{ scope: 'Vault Read' }, /name it like "weather:read"/],
  ])('does not take rules that mean nothing: %j', (authScopes, message) => {
    const bad: SchemaPart = {
      owner: 'bad',
      define: (builder) => builder.queryField('x', (t) => t.string({ authScopes, resolve: () => 'x' })),
    }
    expect(() => buildSchema([bad])).toThrow(SchemaError)
    expect(() => buildSchema([bad])).toThrow(message)
  })
})
