import { z } from 'zod'
import { decodeRootHeader, MAX_EXPORT_KEY, type RootHeader } from '../../../protocol/index.ts'
import { apiError, type KeysetCursor, pageCost, resolvePage } from '../../../schema/index.ts'
import { MESSAGES_PROOF_COST } from '../proofs/root-proofs.ts'
import { type RootBlockRow, rootBlockAt, rootBlockPage, rootOutgoing } from '../query/root-blocks.ts'
import { ROOT } from './heights.ts'
import { shardOfName } from './realm.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'

const Height = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/)
  .transform(Number)
  .refine(Number.isSafeInteger)

/** A root block's place is its height: whoever knows that one goes on behind it without asking for a cursor first. */
const byHeight: KeysetCursor<RootBlockRow, readonly [height: number]> = {
  encode: ({ height }) => String(height),
  decode: (cursor) => [heightOf(cursor)],
}

/** The type RootBlock, the queries for it, and the subscription. */
export function defineRootBlock(setting: Setting): void {
  const { builder, refs, connections, host, ledger, seenBy, proofs, rootFeed } = setting
  const byHash = (pick: (header: RootHeader) => Uint8Array) => (row: RootBlockRow) => pick(decodeRootHeader(row.header))

  refs.rootBlock.implement({
    description: 'A block of the root chain, which commits the blocks of all shards.',
    fields: (t) => ({
      height: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'Its place in the root chain: one more than the block before.',
        resolve: ({ height }) => height,
      }),
      hash: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Of its header: what proofs are checked against.',
        resolve: ({ hash }) => hash,
      }),
      header: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'As it is hashed: CBOR of ten items.',
        resolve: ({ header }) => header,
      }),
      votes: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'What makes it final: CBOR list of [validator, signature], by a quorum of the validators.',
        resolve: ({ votes }) => votes,
      }),
      prevHash: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'The hash of the root block before.',
        resolve: byHash(({ prevHash }) => prevHash),
      }),
      headersRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'List root over the shard blocks that it commits.',
        resolve: byHash(({ headersRoot }) => headersRoot),
      }),
      stateRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: "Trie root over the root chain's own cells.",
        resolve: byHash(({ cellsRoot }) => cellsRoot),
      }),
      outRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: "List root over the root chain's messages to shards.",
        resolve: byHash(({ outRoot }) => outRoot),
      }),
      exportsRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Trie root over what shards can read of the root chain.',
        resolve: byHash(({ exportsRoot }) => exportsRoot),
      }),
      time: t.field({
        type: 'DateTime',
        nullable: false,
        description: 'When it was made, as its header says.',
        resolve: ({ time }) => time,
      }),
      exportProof: t.field({
        type: 'Bytes',
        // Whatever the root chain exported then may have to be read.
        complexity: 250,
        args: { key: t.arg.string({ required: true, description: 'Like `shard/0:01`.' }) },
        description: 'What the root chain exports under a key as of this block, or that it exports nothing there.',
        resolve: ({ header }, { key }) => {
          if (Buffer.byteLength(key) <= MAX_EXPORT_KEY) return told(() => proofs.export(header, key))
          throw apiError('BAD_USER_INPUT', `A \`key\` has at most ${MAX_EXPORT_KEY} bytes.`)
        },
      }),
      messagesProof: t.field({
        type: 'Bytes',
        complexity: MESSAGES_PROOF_COST,
        args: { to: t.arg.string({ required: true, description: 'A shard, or a part of one, like `0:01`.' }) },
        description: 'All that the root chain itself sent to a shard with this block, and that nothing is left out.',
        resolve: ({ header, height }, { to }) => {
          const receiver = shardOfName(to)
          return told(async () => {
            const outgoing = await rootOutgoing(host.sql, height)
            return outgoing && proofs.messages(header, outgoing, receiver)
          })
        },
      }),
      cursor: t.field({
        type: 'Cursor',
        nullable: false,
        description: 'Where it is among root blocks, its height: pass it as `after` to go on behind it.',
        resolve: byHeight.encode,
      }),
    }),
  })

  builder.queryFields((t) => ({
    rootBlock: t.field({
      type: refs.rootBlock,
      description: 'The root block at a height, or the newest.',
      args: { height: t.arg({ type: 'BigInt', description: 'The newest if absent.' }) },
      resolve: (_root, { height }, context) => {
        seenBy(context).shard(ROOT)
        if (height == null) return told(async () => rootBlockAt(host.sql, ledger().rootHeight()))
        return height < 0n || height > BigInt(Number.MAX_SAFE_INTEGER) ? null : rootBlockAt(host.sql, Number(height))
      },
    }),
    rootBlocks: t.field({
      type: connections.rootBlock,
      nullable: false,
      description: 'Root blocks by height; `last` gives the newest. A cursor is the height as text.',
      args: builder.pageArgs,
      complexity: pageCost,
      resolve: (_root, page, context) => {
        seenBy(context).shard(ROOT)
        return resolvePage(page, byHeight, (request) => rootBlockPage(host.sql, request))
      },
    }),
  }))

  builder.subscriptionFields((t) => ({
    rootBlocks: t.field({
      type: refs.rootBlock,
      nullable: false,
      description:
        'Root blocks as they become durable, without a gap; first those after the cursor, if one is given. They come ' +
        'ten times a second under load, else once a second.',
      args: { after: t.arg({ type: 'Cursor', description: 'A height as text.' }) },
      subscribe: (_root, { after }, { signal }) =>
        told(async () => withCursors(rootFeed.follow(after == null ? ledger().rootHeight() : heightOf(after), signal))),
      resolve: (row) => row,
    }),
  }))
}

async function* withCursors(
  rows: AsyncIterable<RootBlockRow>,
): AsyncGenerator<RootBlockRow & { readonly cursor: string }> {
  for await (const row of rows) yield { ...row, cursor: byHeight.encode(row) }
}

function heightOf(cursor: string): number {
  const height = Height.safeParse(cursor)
  if (height.success) return height.data
  throw apiError('BAD_CURSOR', 'The cursor of a root block is its height as text, like "12".')
}
