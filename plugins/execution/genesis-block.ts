import {
  bodyHash,
  cellLeaf,
  cellPath,
  encodeBody,
  encodeCell,
  encodeHeader,
  type GenesisCell,
  headerHash,
  listRoot,
  type Shard,
  shardHolds,
  ZERO_HASH,
} from '../../protocol/index.ts'
import type { Network } from './genesis.ts'
import { openRecord } from './state/ledger-cell.ts'
import { Trie } from './state/trie.ts'

/** A cell that a shard begins with. */
export interface FirstCell {
  readonly path: Uint8Array
  readonly record: Uint8Array
}

/** A shard at height 0, as the genesis document alone decides it. */
export interface GenesisBlock {
  /** Sorted by path. */
  readonly cells: readonly FirstCell[]
  readonly trie: Trie
  readonly header: Uint8Array
  readonly hash: Uint8Array
  readonly body: Uint8Array
  /** Balances and deposits, in the smallest unit. */
  readonly holdings: bigint
}

/** Makes the first block of a shard of the genesis document. */
export function genesisBlock({ genesis, params }: Network, shard: Shard): GenesisBlock {
  const cells = firstCells(genesis.cells, shard)
  const trie = new Trie({ keyBytes: 32, depth: shard.prefix.length })
  trie.update(cells.map(({ path, record }) => ({ key: path, leaf: cellLeaf(path, record) })))
  const holdings = holdingsOf(cells, params)
  const body = encodeBody([])
  const header = encodeHeader({
    shard: shard.id,
    height: 0,
    prevHash: ZERO_HASH,
    rootCursor: 0,
    txRoot: listRoot([]),
    outRoot: listRoot([]),
    cellsRoot: trie.root,
    deferredRoot: ZERO_HASH,
    arrivals: 0,
    basePrice: params.basePrice,
    bodyHash: bodyHash(body),
    txCount: 0,
    txWeight: 0n,
    weight: 0n,
    congestion: 0,
    time: genesis.time,
  })
  return { cells, trie, header, hash: headerHash(header), body, holdings }
}

/** Balances and deposits of cells, in the smallest unit. */
export function holdingsOf(cells: readonly FirstCell[], params: Network['params']): bigint {
  let holdings = 0n
  for (const { record, path } of cells) {
    const cell = openRecord(record, path)
    holdings += cell.balance + params.depositPerByte * BigInt(cell.depositBytes)
  }
  return holdings
}

/** The genesis cells of a shard, or of the root chain, sorted by path. */
export function firstCells(cells: readonly GenesisCell[], shard: Shard): FirstCell[] {
  return cells
    .map((cell) => ({ realm: cell.realm, path: cellPath(cell.id), record: encodeCell(cell) }))
    .filter(({ realm, path }) => shardHolds(shard, realm, path))
    .sort((a, b) => Buffer.compare(a.path, b.path))
    .map(({ path, record }) => ({ path, record }))
}
