import type { ShardDatabases } from './shard-databases.ts'

/** CBOR of the proof that a shard was split (protocol/split.ts); null while it lives, and for shards that never were. */
export async function splitOf(databases: ShardDatabases, shard: string): Promise<Uint8Array | null> {
  const sql = await databases.of(shard)
  const [row] = await sql<{ split: Buffer | null }[]>`SELECT split FROM shard WHERE id = ${shard}`
  return row?.split ?? null
}
