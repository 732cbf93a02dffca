import {
  type CommittedHeader,
  encodeRootHeader,
  headersRoot,
  listRoot,
  rootHeaderHash,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import type { Network } from '../genesis.ts'
import { type FirstCell, firstCells, holdingsOf } from '../genesis-block.ts'
import type { Totals } from '../shard/made-block.ts'
import { genesisExports } from './genesis-exports.ts'
import { ROOT_SPACE, RootState } from './root-state.ts'
import { RootView } from './root-view.ts'

/** Root block 0, as the genesis document decides it. */
export interface GenesisRoot {
  /** The root chain's own cells, sorted by path. */
  readonly cells: readonly FirstCell[]
  readonly view: RootView
  readonly totals: Totals
  readonly header: Uint8Array
  readonly hash: Uint8Array
}

/**
 * Makes root block 0.
 * @param entries the first blocks of all shards, sorted
 */
export function genesisRoot({ genesis, id, params, rules }: Network, entries: readonly CommittedHeader[]): GenesisRoot {
  const cells = firstCells(genesis.cells, ROOT_SPACE)
  const view = RootView.EMPTY.with(genesisExports(genesis))
  const totals = { holdings: holdingsOf(cells, params), emitted: 0n, consumed: 0n }
  const { trie, exports } = new RootState(
    { rules, depositPerByte: params.depositPerByte, registryAt: noCalls },
    { height: 0, cells, view, totals },
  )
  const header = encodeRootHeader({
    height: 0,
    prevHash: ZERO_HASH,
    time: genesis.time,
    headersRoot: headersRoot(entries),
    cellsRoot: trie.root,
    outRoot: listRoot([]),
    exportsRoot: exports.root,
    reveal: ZERO_HASH,
    random: id,
    anchor: genesis.anchor,
  })
  return { cells, view, totals, header, hash: rootHeaderHash(header) }
}

const noCalls = (): never => {
  throw new TypeError('root block 0 executes nothing')
}
