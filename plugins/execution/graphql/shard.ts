import { z } from 'zod'
import { apiError, type KeysetCursor, keysetCursor, pageCost, resolvePage } from '../../../schema/index.ts'
import type { ShardState } from '../api.ts'
import { splitOf } from '../query/splits.ts'
import { realmInt } from './realm.ts'
import type { Setting } from './setting.ts'

const cursor: KeysetCursor<{ readonly id: string }, readonly [id: string]> = keysetCursor(
  'shard',
  z.tuple([z.string().max(100)]),
  ({ id }) => [id],
)

/** The type Shard, and the queries for it. */
export function defineShard(setting: Setting): void {
  const { builder, refs, ledger, seenBy } = setting
  const find = (id: string): ShardState | undefined =>
    ledger()
      .shards()
      .find((shard) => shard.id === id)
  const stateOf = ({ id }: { readonly id: string }): ShardState => {
    const shard = find(id)
    if (shard !== undefined) return shard
    throw apiError('SHARD_UNKNOWN', `There is no shard "${id}". The query \`shards\` lists them.`)
  }
  const status = builder.enumType('ShardStatus', {
    description: 'What a shard is doing.',
    values: {
      STARTING: { description: 'It is being opened.' },
      RUNNING: { description: 'It takes transactions and makes blocks.' },
      RESTARTING: { description: 'Its thread or its host is gone, and it comes back by itself.' },
      STALLED: { description: 'It cannot reach its database and tries again.' },
      STOPPED: { description: 'It stays down until somebody mends it; the health of the node says why.' },
      SPLIT: { description: 'It made its last block; its children go on.' },
    } as const,
  })
  const mempool = builder.objectRef<ShardState['mempool']>('Mempool').implement({
    description: 'Transactions that wait for a block.',
    fields: (t) => ({
      size: t.exposeInt('size', { nullable: false, description: 'How many.' }),
      bytes: t.exposeInt('bytes', { nullable: false, description: 'Their wire bytes together.' }),
    }),
  })

  builder.node(refs.shard, {
    description: 'A part of a realm: all cells whose path begins with its prefix.',
    id: { resolve: ({ id }) => id, description: '`<realm>:<prefix>`, like `0:` or `0:01`.' },
    loadMany: (ids) => ids.map((id) => find(id) ?? null),
    fields: (t) => ({
      realm: t.int({ resolve: (shard) => realmInt(stateOf(shard).realm), description: 'Null for the root chain.' }),
      prefix: t.string({ nullable: false, resolve: (shard) => stateOf(shard).prefix, description: 'Zeros and ones.' }),
      height: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The height of its last durable block.',
        resolve: (shard, _args, context) => {
          seenBy(context).shard(shard.id)
          return stateOf(shard).height
        },
      }),
      stateRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Trie root over its cells at this height.',
        resolve: (shard, _args, context) => {
          seenBy(context).shard(shard.id)
          return stateOf(shard).stateRoot
        },
      }),
      status: t.field({
        type: status,
        nullable: false,
        description: 'What it is doing.',
        resolve: (shard) => stateOf(shard).status,
      }),
      load: t.float({
        nullable: false,
        description: 'The part of the last second that it spent executing, 0 to 1.',
        resolve: (shard) => stateOf(shard).load,
      }),
      mempool: t.field({
        type: mempool,
        nullable: false,
        description: 'What waits in it for a block.',
        resolve: (shard) => stateOf(shard).mempool,
      }),
      basePrice: t.field({
        type: 'BigInt',
        nullable: false,
        description:
          'What its next block charges for a unit of weight, in the smallest unit. It follows how full blocks are.',
        resolve: (shard) => stateOf(shard).basePrice,
      }),
      congestion: t.int({
        nullable: false,
        description:
          'What its last block ran, and what waits for room, in percent of a full block, at most 1000. From 100 on, transactions of other shards that call cells here wait longer, from 300 on until it is less.',
        resolve: (shard) => stateOf(shard).congestion,
      }),
      parent: t.field({
        type: refs.shard,
        description: 'The shard that it was split off from.',
        resolve: (shard) => {
          const { parent } = stateOf(shard)
          return parent === null ? null : { id: parent }
        },
      }),
      splitProof: t.field({
        type: 'Bytes',
        complexity: 10,
        description:
          'That all of its state, and nothing else, went over to its children: CBOR [header of its last block, headers of ' +
          'their first blocks, lone leaf of the cells, of the messages that wait]. Null while it lives.',
        resolve: ({ id }) => splitOf(setting.databases(), id),
      }),
      children: t.field({
        type: [refs.shard],
        nullable: false,
        complexity: { field: 1, multiplier: 2 },
        description: 'What it was split into: two shards, or none.',
        resolve: ({ id }) =>
          ledger()
            .shards()
            .filter((shard) => shard.parent === id),
      }),
    }),
  })

  builder.queryFields((t) => ({
    shard: t.field({
      type: refs.shard,
      description: 'A shard by its name; null if there is none.',
      args: { id: t.arg.string({ required: true, description: 'Like `0:01`.' }) },
      resolve: (_root, { id }) => find(id) ?? null,
    }),
    shards: t.field({
      type: setting.connections.shard,
      nullable: false,
      description: 'All shards, also those that were split, by name.',
      args: builder.forwardPageArgs,
      complexity: pageCost,
      resolve: (_root, args) =>
        resolvePage(args, cursor, ({ limit, after }) =>
          [...ledger().shards()]
            .sort((a, b) => (a.id < b.id ? -1 : 1))
            .filter(({ id }) => after === undefined || id > after[0])
            .slice(0, limit),
        ),
    }),
  }))
}
