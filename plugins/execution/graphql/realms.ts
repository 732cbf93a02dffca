import { z } from 'zod'
import { type KeysetCursor, keysetCursor, pageCost, resolvePage } from '../../../schema/index.ts'
import { type RealmRow, realmPage, realmsByNumber } from '../query/exports.ts'
import { ROOT } from './heights.ts'
import { realmOf } from './realm.ts'
import type { Setting } from './setting.ts'

const cursor: KeysetCursor<RealmRow, readonly [number: number]> = keysetCursor(
  'realm',
  z.tuple([z.int()]),
  ({ number }) => [number],
)

/** The type Realm, and the queries for it. */
export function defineRealms({ builder, host, refs, ledger, seenBy }: Setting): void {
  const realm = builder.objectRef<RealmRow>('Realm').implement({
    description: 'An address space with shards of its own. 0 is the public one; `realm.create` makes others.',
    fields: (t) => ({
      number: t.exposeInt('number', { nullable: false, description: 'By which transactions name it.' }),
      name: t.exposeString('name', { nullable: false, description: 'As its creator called it.' }),
      creator: t.field({
        type: refs.account,
        description: 'The account that made it, and may split its shards; null for realm 0.',
        resolve: ({ creator }) => (creator === null ? null : { address: creator, realm: 0 }),
      }),
      since: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The root height that it was made at.',
        resolve: ({ since }) => since,
      }),
      shards: t.field({
        type: [refs.shard],
        nullable: false,
        complexity: { field: 1, multiplier: 8 },
        description: 'Its shards, also those that were split.',
        resolve: ({ number }) =>
          ledger()
            .shards()
            .filter((shard) => shard.realm === number),
      }),
    }),
  })
  const connection = builder.connectionOf(realm)

  builder.queryFields((t) => ({
    realm: t.field({
      type: realm,
      description: 'A realm by its number; null if there is none.',
      args: { number: t.arg.int({ required: true, description: '0 for the public one.' }) },
      resolve: async (_root, { number }, context) => {
        seenBy(context).shard(ROOT)
        return (await realmsByNumber(host.sql, [realmOf(number)]))[0] ?? null
      },
    }),
    realms: t.field({
      type: connection,
      nullable: false,
      args: builder.forwardPageArgs,
      complexity: pageCost,
      description: 'All realms, by number.',
      resolve: (_root, args, context) => {
        seenBy(context).shard(ROOT)
        return resolvePage(args, cursor, ({ limit, after }) => realmPage(host.sql, limit, after?.[0]))
      },
    }),
  }))
}
