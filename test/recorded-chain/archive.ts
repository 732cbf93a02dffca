import { gunzipSync, gzipSync } from 'node:zlib'
import type { StoredChain } from '../../plugins/execution/replay/index.ts'
import type { StoredRoot } from '../../plugins/execution/replay/replayed-root.ts'
import type { StoredBlock } from '../../plugins/execution/replay/replayed-shard.ts'
import { type CborMap, type CborValue, decode, encode } from '../../protocol/index.ts'

/** A whole chain as it is stored, in memory. */
export interface ChainArchive {
  /** The genesis document. */
  readonly genesis: Uint8Array
  /** By height. */
  readonly roots: readonly StoredRoot[]
  /** Each shard's by height. */
  readonly blocks: readonly StoredBlock[]
}

/** Reads all of a chain. */
export async function archiveOf(
  genesis: Uint8Array,
  chain: StoredChain,
  shards: readonly string[],
): Promise<ChainArchive> {
  const roots = await Array.fromAsync(chain.roots(0))
  const blocks: StoredBlock[] = []
  for (const shard of shards) blocks.push(...(await chain.after(shard, -1)))
  return { genesis, roots, blocks }
}

/** An archive's bytes: gzip of CBOR `[genesis, [root, ...], [block, ...]]`, rows as maps of their columns. */
export const packArchive = ({ genesis, roots, blocks }: ChainArchive): Uint8Array =>
  gzipSync(encode([genesis, roots.map(row), blocks.map(row)]), { level: 9 })

/** Reads what `packArchive` wrote. @throws CodecError */
export function unpackArchive(bytes: Uint8Array): ChainArchive {
  const [genesis, roots, blocks] = decode(gunzipSync(bytes)) as unknown as [Uint8Array, StoredRoot[], StoredBlock[]]
  return { genesis, roots, blocks }
}

/** An archive as what a replay reads. */
export function chainInArchive({ roots, blocks }: ChainArchive): StoredChain {
  const byPlace = new Map(blocks.map((block) => [`${block.shard} ${block.height}`, block]))
  return {
    async *roots(from) {
      yield* roots.filter(({ height }) => height >= from)
    },
    blocks: async (places) => places.map(({ shard, height }) => byPlace.get(`${shard} ${height}`)),
    after: async (shard, height) => blocks.filter((block) => block.shard === shard && block.height > height),
  }
}

const row = (columns: StoredRoot | StoredBlock): CborMap =>
  Object.fromEntries(Object.entries(columns).filter((entry): entry is [string, CborValue] => entry[1] !== undefined))
