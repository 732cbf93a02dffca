import {
  type CommittedHeader,
  encode,
  encodeGenesis,
  encodeVotes,
  type Genesis,
  parseShardId,
  ROOT_REALM,
  type Shard,
  sortCommitted,
  votingBytes,
} from '../../protocol/index.ts'
import { sign } from '../../server/crypto/ed25519.ts'
import type { Sql, SqlOrTransaction, Transaction } from '../../server/plugin.ts'
import { type Network, openGenesis } from './genesis.ts'
import { type FirstCell, genesisBlock } from './genesis-block.ts'
import { type HostPlaces, placeOf } from './hosting/places.ts'
import type { OperatorKey } from './keys.ts'
import { encodeExportChanges } from './root/exports.ts'
import { genesisRoot } from './root/genesis-root.ts'
import { encodeEntries } from './root/root-store.ts'

/** Rows in one INSERT. */
const PAGE = 1000

/** The stored genesis, or undefined if this database has no network yet. */
export async function storedNetwork(sql: SqlOrTransaction): Promise<Network | undefined> {
  const [row] = await sql<{ document: Uint8Array }[]>`SELECT document FROM genesis`
  return row === undefined ? undefined : openGenesis(row.document)
}

/**
 * Stores a new network: its document, the first block of each shard, their cells, root block 0. All or nothing. If
 * another node founds one at the same time, the network of the first is given.
 * @param hosts where shards are to live that do not live here
 */
export async function foundNetwork(
  sql: Sql,
  genesis: Genesis,
  operator: OperatorKey,
  hosts: readonly HostPlaces[] = [],
): Promise<Network> {
  const document = encodeGenesis(genesis)
  const network = openGenesis(document)
  return sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtext('execution.genesis'))`
    const [first] = await tx<{ document: Uint8Array }[]>`SELECT document FROM genesis`
    if (first !== undefined) return openGenesis(first.document)
    await tx`INSERT INTO genesis (network, document) VALUES (${network.id}, ${document})`
    const entries: CommittedHeader[] = []
    for (const id of genesis.shards) {
      const host = placeOf(id, hosts)
      await tx`INSERT INTO shard_home (shard, host) VALUES (${id}, ${host})`
      const shard = parseShardId(id)
      // A shard host makes the first blocks of its shards by itself: they follow from the document.
      entries.push(
        host === null
          ? await foundShard(tx, network, shard)
          : { shard: id, height: 0, hash: genesisBlock(network, shard).hash },
      )
    }
    await foundRoot(tx, network, operator, sortCommitted(entries))
    return network
  })
}

/** Stores the first block of a shard of the genesis document, and its cells. */
export async function foundShard(tx: Transaction, network: Network, shard: Shard): Promise<CommittedHeader> {
  const { cells, header, hash, body, holdings } = genesisBlock(network, shard)
  const none = new Uint8Array(0)
  await tx`INSERT INTO shard (id, realm, prefix) VALUES (${shard.id}, ${shard.realm}, ${shard.prefix})`
  await tx`
    INSERT INTO block
      (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
    VALUES (${shard.id}, 0, ${hash}, ${header}, ${body}, ${none}, ${none}, ${encode([])}, 0,
      ${new Date(network.genesis.time)}, ${String(holdings)}, 0, 0)`
  await storeCells(tx, shard.realm, cells)
  return { shard: shard.id, height: 0, hash }
}

async function foundRoot(
  tx: Transaction,
  network: Network,
  operator: OperatorKey,
  entries: readonly CommittedHeader[],
): Promise<void> {
  const { cells, view, totals, header, hash } = genesisRoot(network, entries)
  const votes = encodeVotes([{ validator: operator.key.publicKey, signature: sign(votingBytes(hash), operator.key) }])
  await tx`
    INSERT INTO root_block (height, hash, header, votes, entries, time, exports, holdings)
    VALUES (0, ${hash}, ${header}, ${votes}, ${encodeEntries(entries)}, ${new Date(network.genesis.time)},
      ${encodeExportChanges(view.entries())}, ${String(totals.holdings)})`
  for (const { shard, height } of entries) {
    await tx`INSERT INTO root_entry (shard, height, root) VALUES (${shard}, ${height}, 0)`
  }
  await storeCells(tx, ROOT_REALM, cells)
  const exports = view.entries().map(([key, value]) => ({ key, since: 0, value }))
  for (let from = 0; from < exports.length; from += PAGE)
    await tx`INSERT INTO export ${tx(exports.slice(from, from + PAGE), 'key', 'since', 'value')}`
}

async function storeCells(tx: Transaction, realm: number, cells: readonly FirstCell[]): Promise<void> {
  for (let from = 0; from < cells.length; from += PAGE) {
    const rows = cells.slice(from, from + PAGE).map((cell) => ({ realm, ...cell }))
    await tx`INSERT INTO cell ${tx(rows, 'realm', 'path', 'record')}`
  }
}
