import { z } from 'zod'
import { type BlockHeader, encodeBlockProof } from '../../../protocol/index.ts'
import {
  type Connection,
  type Context,
  type KeysetCursor,
  keysetCursor,
  pageCost,
  resolvePage,
} from '../../../schema/index.ts'
import type { BlockPlace } from '../api.ts'
import { MESSAGES_PROOF_COST } from '../proofs/root-proofs.ts'
import type { BlockRow } from '../query/blocks.ts'
import { placeKey } from '../query/blocks.ts'
import { blockOf, headerOf, type KnownBlock } from './block-source.ts'
import { placeOfKey } from './node-key.ts'
import { shardOfName } from './realm.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'
import { fromRow, type KnownTransaction } from './transaction-source.ts'

const indexCursor: KeysetCursor<KnownTransaction, readonly [index: number]> = keysetCursor(
  'block-transaction',
  z.tuple([z.int().min(0)]),
  ({ row }) => [row?.index ?? 0],
)

/** The type Block. */
export function defineBlock(setting: Setting): void {
  const { builder, refs, loaders, proofs } = setting

  builder.node(refs.block, {
    description: 'A block of a shard. Durable from the moment it can be seen.',
    id: { resolve: placeKey },
    loadMany: (keys, context) =>
      Promise.all(
        keys.map(async (key) => {
          const place = placeOfKey(key)
          const row = place && (await loaders(context).blocks.load(place))
          return row && { shard: row.shard, height: row.height, row }
        }),
      ),
    fields: (t) => {
      const row = <T>(block: KnownBlock, context: Context, pick: (row: BlockRow) => T): Promise<T> =>
        blockOf(loaders(context), block).then(pick)
      const header = <T>(block: KnownBlock, context: Context, pick: (header: BlockHeader) => T): Promise<T> =>
        headerOf(loaders(context), block).then(pick)
      const hashField = (pick: (header: BlockHeader) => Uint8Array, description: string) =>
        t.field({
          type: 'Bytes',
          nullable: false,
          description,
          resolve: (block, _args, context) => header(block, context, pick),
        })
      const amountField = (pick: (header: BlockHeader) => bigint | number, description: string) =>
        t.field({
          type: 'BigInt',
          nullable: false,
          description,
          resolve: (block, _args, context) => header(block, context, pick),
        })
      return {
        shard: t.field({
          type: refs.shard,
          nullable: false,
          description: 'Whose block it is.',
          resolve: ({ shard }) => ({ id: shard }),
        }),
        height: t.field({
          type: 'BigInt',
          nullable: false,
          description: 'Its place in the chain of its shard: one more than the block before.',
          resolve: ({ height }) => height,
        }),
        hash: t.field({
          type: 'Bytes',
          nullable: false,
          description: 'Of its header; what the root chain commits.',
          resolve: (block, _args, context) => row(block, context, ({ hash }) => hash),
        }),
        header: t.field({
          type: 'Bytes',
          nullable: false,
          description: 'As it is hashed: CBOR of sixteen items.',
          resolve: (block, _args, context) => row(block, context, (found) => found.header),
        }),
        prevHash: hashField(({ prevHash }) => prevHash, 'The hash of the block before.'),
        rootCursor: amountField(({ rootCursor }) => rootCursor, 'The root height up to which it took messages in.'),
        txRoot: hashField(({ txRoot }) => txRoot, 'List root over the receipts of its transactions.'),
        outRoot: hashField(({ outRoot }) => outRoot, 'List root over its messages to other shards.'),
        stateRoot: hashField(({ cellsRoot }) => cellsRoot, "Trie root over the shard's cells after it."),
        deferredRoot: hashField(
          ({ deferredRoot }) => deferredRoot,
          'Trie root over messages that wait for a later block.',
        ),
        basePrice: amountField(({ basePrice }) => basePrice, 'The price of one unit of weight, in the smallest unit.'),
        weight: amountField(({ weight }) => weight, 'What it executed, in units of weight.'),
        txWeight: amountField(
          ({ txWeight }) => txWeight,
          'What its transactions weigh; the rest of its weight is that of messages that came to the shard.',
        ),
        congestion: t.int({
          nullable: false,
          description: 'What it ran, and what waits for a later block, in percent of a full block, at most 1000.',
          resolve: (block, _args, context) => header(block, context, ({ congestion }) => congestion),
        }),
        txCount: t.int({
          nullable: false,
          description: 'How many transactions it holds.',
          resolve: (block, _args, context) => row(block, context, ({ txCount }) => txCount),
        }),
        size: t.int({
          nullable: false,
          description: 'Bytes of its transactions.',
          resolve: (block, _args, context) => row(block, context, ({ size }) => size),
        }),
        time: t.field({
          type: 'DateTime',
          nullable: false,
          description: 'When it was made, as its header says.',
          resolve: (block, _args, context) => row(block, context, ({ time }) => time),
        }),
        rootBlock: t.field({
          type: refs.rootBlock,
          description: 'The root block that committed it; null for a moment after it was made.',
          resolve: (block, _args, context) => loaders(context).rootBlocks.load(place(block)),
        }),
        rootProof: t.field({
          type: 'Bytes',
          complexity: 10,
          description:
            'That a root block lists it: CBOR [[header], root header, list proof]. Waits for the root block up to 5 s.',
          resolve: (block, _args, context) =>
            told(async () => proofs.lead(encodeBlockProof(await row(block, context, (found) => found.header)))),
        }),
        messagesProof: t.field({
          type: 'Bytes',
          complexity: MESSAGES_PROOF_COST,
          args: { to: t.arg.string({ required: true, description: 'A shard, or a part of one, like `0:01`.' }) },
          description:
            'All that it sent to a shard, and that nothing is left out: CBOR [[header, item before, items, item behind, ' +
            'range proof], root header, list proof].',
          resolve: (block, { to }, context) => {
            const receiver = shardOfName(to)
            return told(async () => {
              const [{ header }, outgoing] = await Promise.all([
                blockOf(loaders(context), block),
                loaders(context).outgoing.load(place(block)),
              ])
              return outgoing && proofs.messages(header, outgoing, receiver)
            })
          },
        }),
        transactions: t.field({
          type: setting.connections.transaction,
          nullable: false,
          args: builder.forwardPageArgs,
          complexity: pageCost,
          description: 'In the order in which they ran.',
          resolve: (block, args, context): Promise<Connection<KnownTransaction>> =>
            resolvePage(args, indexCursor, async ({ limit, after }) => {
              const from = after === undefined ? 0 : after[0] + 1
              const rows = await loaders(context).blockTransactions.load({ ...place(block), from, limit })
              return rows.map(fromRow)
            }),
        }),
        cursor: t.field({
          type: 'Cursor',
          description:
            'Where it is in the subscription `blocks`: pass it as `after` to go on behind it. Null elsewhere.',
          resolve: ({ cursor }: KnownBlock) => cursor ?? null,
        }),
      }
    },
  })
}

const place = ({ shard, height }: BlockPlace): BlockPlace => ({ shard, height })
