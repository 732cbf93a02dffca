import SchemaBuilder, { InterfaceRef, ObjectRef } from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import ErrorsPlugin from '@pothos/plugin-errors'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import ValidationPlugin from '@pothos/plugin-validation'
import type { TypeRef } from '../server/plugin.ts'
import AccessNotes, { type AccessRules, accessError, judgeAccess } from './access.ts'
import { type Connection, DEFAULT_PAGE, type Edge, MAX_PAGE, type PageInfo, pageTooLarge } from './connection.ts'
import type { Context } from './context.ts'
import { apiError } from './errors.ts'
import { checkIsNode, NodeIds } from './node-ids.ts'
import { Ownership } from './ownership.ts'
import './pothos-types.ts'
import { bigIntScalar, bytesScalar, cursorScalar, dateTimeScalar, jsonScalar } from './scalars.ts'

const AFTER = 'Only what stands behind this cursor.'

/** What the schema's scalars are in TypeScript, as arguments and as results. */
export interface SchemaShape {
  Context: Context
  AuthScopes: AccessRules
  DefaultAuthStrategy: 'all'
  Scalars: {
    ID: { Input: string; Output: string | number | bigint }
    Bytes: { Input: Uint8Array; Output: Uint8Array }
    BigInt: { Input: bigint; Output: bigint | number }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
    Cursor: { Input: string; Output: string }
  }
}

/** What an expected refusal looks like: a named type in a result union, which implements UserError. */
export interface UserErrorShape {
  /** Stable, UPPER_SNAKE_CASE. */
  readonly code: string
  /** What is wrong and how to mend it. */
  readonly message: string
}

/**
 * A fresh builder with the shared scalars, `UserError` and the root types. One builder makes one schema.
 *
 * Beyond Pothos: `refOf(token)` and `interfaceOf(token)` give the reference that stands for a type token, whoever
 * defines the type and whenever. The owner defines the type with it (`builder.objectType(builder.refOf(Block), ...)`),
 * others use it as a field's type or extend it (`builder.objectField(builder.refOf(Block), 'name', ...)`), and
 * resolvers get the token's shape as parent.
 */
export function createBuilder() {
  const ownership = new Ownership()
  const nodeIds = new NodeIds()
  const pothos = new SchemaBuilder<SchemaShape>({
    // The first wraps all others: nothing of a field runs, its arguments' validation included, before access is granted.
    plugins: [
      ScopeAuthPlugin,
      AccessNotes,
      RelayPlugin,
      DataloaderPlugin,
      ErrorsPlugin,
      ValidationPlugin,
      ComplexityPlugin,
    ],
    scopeAuth: {
      authScopes: judgeAccess,
      authorizeOnSubscribe: true,
      defaultStrategy: 'all',
      unauthorizedError: (_parent, context, _info, { failure }) => accessError(context, failure),
    },
    relay: {
      brandLoadedObjects: true,
      nodeTypeOptions: { description: 'Anything with an id of its own.' },
      idFieldOptions: { description: 'Names it for the query `node`; no other object has it.' },
      encodeGlobalID: (typename, id) => nodeIds.encode(typename, String(id)),
      decodeGlobalID: (id) => nodeIds.decode(id),
      nodeQueryOptions: {
        description: 'One object by its id; null if there is none.',
        args: { id: { description: 'As the object itself says it.' } },
        resolve: (_root, { id }, _context, { schema }, resolveNode) => {
          checkIsNode(schema, id)
          return resolveNode(id)
        },
      },
      nodesQueryOptions: {
        description: 'Objects by their ids, in the same order; null where there is none.',
        args: { ids: { description: `At most ${MAX_PAGE}.` } },
        complexity: ({ ids }: { ids: readonly unknown[] }) => ({ field: 1, multiplier: ids.length }),
        resolve: (_root, { ids }, _context, { schema }, resolveNodes) => {
          if (ids.length > MAX_PAGE) throw pageTooLarge('ids', ids.length)
          for (const id of ids) checkIsNode(schema, id)
          return resolveNodes(ids)
        },
      },
    },
    errors: { directResult: true, defaultTypes: [] },
    validation: {
      validationError: (failure) =>
        apiError('BAD_USER_INPUT', failure.issues.map((issue) => issue.message).join(' '), {
          issues: failure.issues.map((issue) => issue.message),
        }),
    },
    // The cost is checked before anything runs (server/graphql/cost.ts), not in each root resolver.
    complexity: { disabled: true, defaultListMultiplier: 20 },
  })
  ownership.watch(pothos.configStore)

  pothos.queryType({ description: 'What can be read.' })
  pothos.addScalarType('Bytes', bytesScalar)
  pothos.addScalarType('BigInt', bigIntScalar)
  pothos.addScalarType('DateTime', dateTimeScalar)
  pothos.addScalarType('JSON', jsonScalar)
  pothos.addScalarType('Cursor', cursorScalar)
  const userError = pothos.interfaceRef<UserErrorShape>('UserError').implement({
    description: 'An expected refusal: part of a result, not of `errors`.',
    fields: (t) => ({
      code: t.exposeString('code', { nullable: false, description: 'Stable: decide by this.' }),
      message: t.exposeString('message', { nullable: false, description: 'What is wrong and how to mend it.' }),
    }),
  })

  const pageInfo = pothos.objectRef<PageInfo>('PageInfo').implement({
    description: 'Where a page is in its list.',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', {
        nullable: false,
        description: 'Whether the list goes on behind this page.',
        complexity: 0,
      }),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
        nullable: false,
        description: 'Whether something stands before this page.',
        complexity: 0,
      }),
      startCursor: t.expose('startCursor', {
        type: 'Cursor',
        description: 'The cursor of the first item; null if the page is empty.',
        complexity: 0,
      }),
      endCursor: t.expose('endCursor', {
        type: 'Cursor',
        description: 'Where the page ends: pass it as `after` to go on.',
        complexity: 0,
      }),
    }),
  })

  return Object.assign(pothos, {
    ownership,
    /** How nodes are named. */
    nodeIds,
    /** The interface of expected refusals. */
    userError,

    /** The reference of an object type's token. */
    refOf<Shape>(token: TypeRef<Shape>): ObjectRef<Types, Shape> {
      const isRef = (value: unknown): value is ObjectRef<Types, Shape> => value instanceof ObjectRef
      return ownership.refOf(token, () => new ObjectRef<Types, Shape>(token.name), isRef)
    },

    /** The reference of an interface's token. */
    interfaceOf<Shape>(token: TypeRef<Shape>): InterfaceRef<Types, Shape> {
      const isRef = (value: unknown): value is InterfaceRef<Types, Shape> => value instanceof InterfaceRef
      return ownership.refOf(token, () => new InterfaceRef<Types, Shape>(token.name), isRef)
    },

    /** `first`, `after`, `last`, `before`: for lists that can be read from both ends. */
    pageArgs: pothos.args((t) => ({
      first: t.int({ description: `At most ${MAX_PAGE}; ${DEFAULT_PAGE} if absent.` }),
      after: t.field({ type: 'Cursor', description: AFTER }),
      last: t.int({ description: `At most ${MAX_PAGE}.` }),
      before: t.field({ type: 'Cursor', description: 'Only what stands before this cursor.' }),
    })),

    /** `first` and `after`: for lists that are read in one direction only. */
    forwardPageArgs: pothos.args((t) => ({
      first: t.int({ description: `At most ${MAX_PAGE}; ${DEFAULT_PAGE} if absent.` }),
      after: t.field({ type: 'Cursor', description: AFTER }),
    })),

    /**
     * Defines `<name>Connection` and `<name>Edge` and gives the connection's reference. Its fields take
     * `args: {...builder.pageArgs}` and `complexity: pageCost`, and resolve with `resolvePage`.
     */
    connectionOf<Shape>(
      node: ObjectRef<Types, Shape> | InterfaceRef<Types, Shape>,
    ): ObjectRef<Types, Connection<Shape>> {
      const anyNode: ObjectRef<Types, unknown> | InterfaceRef<Types, unknown> = node
      const edge = pothos.objectRef<Edge<unknown>>(`${node.name}Edge`)
      edge.implement({
        description: `One of a page, of the type ${node.name}.`,
        fields: (t) => ({
          cursor: t.expose('cursor', {
            type: 'Cursor',
            nullable: false,
            complexity: 0,
            description: 'Its place in the list.',
          }),
          node: t.field({
            type: anyNode,
            nullable: false,
            description: 'What stands there.',
            complexity: 0,
            resolve: ({ node: shape }) => shape,
          }),
        }),
      })
      const connection = pothos.objectRef<Connection<Shape>>(`${node.name}Connection`)
      connection.implement({
        description: `A page of a list of the type ${node.name}.`,
        fields: (t) => ({
          edges: t.field({
            type: [edge],
            nullable: false,
            description: 'In the order of the list.',
            complexity: { field: 0, multiplier: 1 },
            resolve: (page) => page.edges,
          }),
          pageInfo: t.field({
            type: pageInfo,
            nullable: false,
            description: 'Where the page is in its list.',
            complexity: 0,
            resolve: (page) => page.pageInfo,
          }),
        }),
      })
      return connection
    },
  })
}

type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaShape>

/** What a plugin's `graphql(builder, host)` gets. */
export type Builder = ReturnType<typeof createBuilder>
