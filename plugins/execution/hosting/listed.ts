import { parseShardId } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import { decodeShardEntry, shardKey } from '../root/exports.ts'
import { decodeEntries } from '../root/root-store.ts'
import type { ShardTuning } from '../shard/engine.ts'
import type { StoredShard } from '../shard/shard-hosts.ts'
import type { ShardAssignment } from './messages.ts'

/** The shards of which the root chain lists a block, parents first. */
export async function listedShards(sql: Sql): Promise<readonly StoredShard[]> {
  const rows = await sql<{ shard: string }[]>`SELECT DISTINCT shard FROM root_entry`
  const ids = new Set(rows.map(({ shard }) => shard))
  const shards = [...ids].map(parseShardId).sort((a, b) => a.prefix.length - b.prefix.length)
  return shards.map(({ id, realm, prefix }) => {
    const above = `${realm}:${prefix.slice(0, -1)}`
    const parent = prefix !== '' && ids.has(above) ? above : null
    return { id, parent, isSplit: ids.has(`${id}0`) }
  })
}

/** A shard's last block that a root block lists. */
export interface ListedBlock {
  readonly height: number
  readonly hash: Uint8Array
}

/** The last block of a shard that the root chain lists; null if it lists none. One statement. */
export async function lastListed(sql: Sql, shard: string): Promise<ListedBlock | null> {
  const [row] = await sql<{ height: bigint; entries: Uint8Array }[]>`
    SELECT entry.height, root_block.entries FROM root_entry AS entry JOIN root_block ON root_block.height = entry.root
    WHERE entry.shard = ${shard} ORDER BY entry.height DESC LIMIT 1`
  if (row === undefined) return null
  const height = Number(row.height)
  const entry = decodeEntries(row.entries).find((listed) => listed.shard === shard && listed.height === height)
  return entry === undefined ? null : { height, hash: entry.hash }
}

/** What a host must be told to run a shard, as the root chain has it now. */
export async function assignmentOf(
  sql: Sql,
  shard: string,
  tuning: Partial<ShardTuning> | null,
): Promise<ShardAssignment> {
  const [begin] = await sql<{ value: Uint8Array | null }[]>`
    SELECT value FROM export WHERE key = ${shardKey(shard)} ORDER BY since DESC LIMIT 1`
  const known = begin?.value && decodeShardEntry(begin.value)
  return {
    shard,
    tuning,
    listed: await lastListed(sql, shard),
    from: known && known.parent === null ? known.from : null,
  }
}
