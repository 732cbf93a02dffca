import { decodeRootHeader } from '../../../protocol/index.ts'
import type { Builder } from '../../../schema/index.ts'
import type { RootBlockRow } from '../query/root-blocks.ts'

/** The type RootBlock. */
export function rootBlockType(builder: Builder) {
  return builder.objectRef<RootBlockRow>('RootBlock').implement({
    description: 'A block of the root chain, which commits the blocks of all shards.',
    fields: (t) => ({
      height: t.field({ type: 'BigInt', nullable: false, resolve: ({ height }) => height }),
      hash: t.field({ type: 'Bytes', nullable: false, resolve: ({ hash }) => hash }),
      header: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'As it is hashed: CBOR of ten items.',
        resolve: ({ header }) => header,
      }),
      headersRoot: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'List root over the shard blocks that it commits.',
        resolve: ({ header }) => decodeRootHeader(header).headersRoot,
      }),
      time: t.field({ type: 'DateTime', nullable: false, resolve: ({ time }) => time }),
    }),
  })
}
