import { account } from '../../../plugins/execution/modules/account.ts'
import { encodeModuleEntry, encodeRealmEntry, moduleKey, realmKey } from '../../../plugins/execution/root/exports.ts'
import type { StoredTip } from '../../../plugins/execution/shard/block-store.ts'
import type { LedgerParams } from '../../../plugins/execution/shard/ledger-rules.ts'
import type { ShardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { Trie } from '../../../plugins/execution/state/trie.ts'
import {
  bodyHash,
  encodeBody,
  encodeHeader,
  headerHash,
  leafHash,
  listRoot,
  valueHash,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import { STAGE_BALANCE, type StageCell } from './cells.ts'

/** Consensus parameters of the network that a shard is measured in. */
export const STAGE_PARAMS: LedgerParams = {
  basePrice: 1n,
  depositPerByte: 10n,
  treasury: { realm: 0, id: new Uint8Array(32).fill(0xfe) },
}

/** What the root chain of that network exports: its realm, and the only module that it uses. */
export const STAGE_EXPORTS: readonly (readonly [key: string, value: Uint8Array])[] = [
  [realmKey(0), encodeRealmEntry({ creator: null, name: 'stage' })],
  [moduleKey(account.name), encodeModuleEntry([[account.version, 0]])],
]

/** Makes the first block of a shard from its cells, given sorted by path, in as many parts as it likes. */
export class FirstBlock {
  readonly #space: ShardSpace
  readonly #trie: Trie
  #cells = 0

  constructor(space: ShardSpace) {
    this.#space = space
    this.#trie = new Trie({ keyBytes: 32, depth: space.prefix.length })
  }

  add(cells: readonly StageCell[]): void {
    this.#trie.update(cells.map(({ path, record }) => ({ key: path, leaf: leafHash(path, valueHash(record)) })))
    this.#cells += cells.length
  }

  finish(): StoredTip {
    const header = encodeHeader({
      shard: this.#space.id,
      height: 0,
      prevHash: ZERO_HASH,
      rootCursor: 0,
      txRoot: listRoot([]),
      outRoot: listRoot([]),
      cellsRoot: this.#trie.root,
      deferredRoot: ZERO_HASH,
      arrivals: 0,
      basePrice: STAGE_PARAMS.basePrice,
      bodyHash: bodyHash(encodeBody([])),
      txCount: 0,
      txWeight: 0n,
      weight: 0n,
      congestion: 0,
      time: 0,
    })
    const holdings = STAGE_BALANCE * BigInt(this.#cells)
    return { header, hash: headerHash(header), bodyBytes: 1, holdings, emitted: 0n, consumed: 0n }
  }
}
