import { z } from 'zod'
import { apiError, type KeysetCursor, keysetCursor, pageCost, resolvePage } from '../../../schema/index.ts'
import { blocksByTime, blocksOfShard, type HeightKey, heightKey, type TimeKey, timeKey } from '../query/block-pages.ts'
import { type BlockRow, blocksByHash } from '../query/blocks.ts'
import { fromBlockRow, type KnownBlock } from './block-source.ts'
import { thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'

const rowOf = ({ row }: KnownBlock): BlockRow => row as BlockRow

const byHeight: KeysetCursor<KnownBlock, HeightKey> = keysetCursor('shard-block', z.tuple([z.int()]), (block) =>
  heightKey(rowOf(block)),
)
const byTime: KeysetCursor<KnownBlock, TimeKey> = keysetCursor(
  'block',
  z.tuple([z.int(), z.string().max(100), z.int()]),
  (block) => timeKey(rowOf(block)),
)

/** The queries `block` and `blocks`. */
export function defineBlockQueries({ builder, refs, connections, databases, loaders, seenBy }: Setting): void {
  builder.queryFields((t) => ({
    block: t.field({
      type: refs.block,
      description: 'A block by its height or its hash.',
      args: {
        shard: t.arg.string({ required: true, description: 'Like `0:01`.' }),
        height: t.arg({ type: 'BigInt', description: 'Its height; leave `hash` out then.' }),
        hash: t.arg({ type: 'Bytes', description: 'The hash of its header; leave `height` out then.' }),
      },
      resolve: async (_root, { shard, height, hash }, context) => {
        if ((height == null) === (hash == null)) {
          throw apiError('BAD_USER_INPUT', 'Give either the `height` or the `hash` of the block.')
        }
        if (height != null) {
          if (height < 0n || height > BigInt(Number.MAX_SAFE_INTEGER)) return null
          const row = await loaders(context).blocks.load({ shard, height: Number(height) })
          return row && fromBlockRow(row)
        }
        const seen = seenBy(context)
        seen.shard(shard)
        const [row] = hash == null ? [] : await blocksByHash(databases(), [thirtyTwoBytes('hash', hash)])
        return row != null && row.shard === shard ? fromBlockRow(row) : null
      },
    }),
    blocks: t.field({
      type: connections.block,
      nullable: false,
      description: 'Blocks of one shard by height, or of all by time; `last` gives the newest.',
      args: { shard: t.arg.string({ description: 'Only those of this shard; all if absent.' }), ...builder.pageArgs },
      complexity: pageCost,
      resolve: (_root, { shard, ...page }, context) => {
        const seen = seenBy(context)
        const note = (row: BlockRow): KnownBlock => {
          seen.shard(row.shard)
          return fromBlockRow(row)
        }
        if (shard == null)
          return resolvePage(page, byTime, async (request) => (await blocksByTime(databases(), request)).map(note))
        seen.shard(shard)
        return resolvePage(page, byHeight, async (request) =>
          (await blocksOfShard(databases(), shard, request)).map(note),
        )
      },
    }),
  }))
}
