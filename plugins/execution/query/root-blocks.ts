import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { placeLists } from './blocks.ts'
import { inOrder } from './keys.ts'

/** A block of the root chain. */
export interface RootBlockRow {
  readonly height: number
  readonly hash: Uint8Array
  /** CBOR of the header. */
  readonly header: Uint8Array
  readonly time: Date
}

/** The root blocks that committed these blocks, in the order of the places; null where none did yet. One statement. */
export async function rootBlocksByPlace(sql: Sql, places: readonly BlockPlace[]): Promise<(RootBlockRow | null)[]> {
  const { shards, heights } = placeLists(places)
  const rows = await sql<{ at: bigint; height: bigint; hash: Buffer; header: Buffer; time: Date }[]>`
    SELECT wanted.at, r.height, r.hash, r.header, r.time
    FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
    JOIN root_entry e ON e.shard = wanted.shard AND e.height = wanted.height
    JOIN root_block r ON r.height = e.root`
  return inOrder(places.length, rows, ({ height, hash, header, time }) => ({
    height: Number(height),
    hash,
    header,
    time,
  }))
}
