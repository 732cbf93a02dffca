import { decodeRootHeader, equal, ROOT_SHARD } from '../../../protocol/index.ts'
import type { StoredLedger } from '../hosting/read-ledger.ts'
import { mustEqual, type Place, ReplayMismatch } from '../replay/mismatch.ts'
import { ExportTrie } from '../root/export-trie.ts'
import { ROOT_SPACE } from '../root/root-state.ts'
import { storedExports } from '../root/stored-exports.ts'
import type { Totals } from '../shard/made-block.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import { type CellsAt, tableCellsAt } from './cells-at.ts'
import { CountedCells } from './counted-cells.ts'
import { type Cut, cutAt } from './cut.ts'
import { SnapshotError } from './errors.ts'
import { storedRoots } from './stored-roots.ts'
import { storedView } from './stored-view.ts'
import { waitingMessages } from './waiting-messages.ts'

/**
 * Compares what the node reads, the cells of the cell tables and what the root chain exports, with what the headers as of the last root block
 * commit, and what blocks say that they hold with what they do. The headers themselves must have been checked. Makes temporary tables; memory does not grow with the number
 * of cells.
 * @param height of the last root block
 * @throws ReplayMismatch at the first shard whose cells make another root, or hold another sum than it says
 */
export async function compareTables(ledger: StoredLedger, height: number, signal?: AbortSignal): Promise<void> {
  const cut = await wholeCut(ledger, height)
  const [root] = await Array.fromAsync(storedRoots(ledger.main, cut.height, cut.height))
  if (root === undefined) throw new SnapshotError('NO_SUCH_HEIGHT', `there is no root block ${cut.height}`)
  const cells = await tableCellsAt(ledger, cut)
  let supply = 0n
  const compare = async (space: ShardSpace, place: Place, said: Said): Promise<void> => {
    signal?.throwIfAborted()
    const { totals } = said
    const counted = await count(cells, cut, space, place)
    mustEqual(place, 'cellsRoot', said.cellsRoot, counted.root())
    mustEqual(place, 'holdings', totals.holdings, counted.holdings + said.waiting)
    supply += totals.holdings + totals.emitted - totals.consumed
  }
  const place = { shard: ROOT_SHARD, height: cut.height }
  const header = decodeRootHeader(root.header)
  const exports = new ExportTrie()
  exports.update(await storedExports(ledger.main, cut.height))
  mustEqual(place, 'exportsRoot', header.exportsRoot, exports.root)
  await compare(ROOT_SPACE, place, { cellsRoot: header.cellsRoot, totals: root.totals, waiting: 0n })
  const view = await storedView(ledger.main, cut.height)
  for (const { space, header, totals } of cut.shards) {
    const messages = await waitingMessages(ledger, header, view)
    const waiting = messages.reduce((sum, { message }) => sum + message.value, 0n)
    await compare(space, { shard: space.id, height: header.height }, { ...header, totals, waiting })
  }
  mustEqual(place, 'supply', supply, cut.network.supply)
}

/** What is stored of a block, of the root chain or a shard. */
interface Said {
  readonly cellsRoot: Uint8Array
  readonly totals: Totals
  /** What the messages that wait after it hold, in the smallest unit. */
  readonly waiting: bigint
}

/** What the last root block at which no shard is half split commits. */
async function wholeCut(ledger: StoredLedger, height: number): Promise<Cut> {
  for (let at = height; ; at--) {
    try {
      return await cutAt(ledger, at)
    } catch (error) {
      if (!(error instanceof SnapshotError && error.code === 'NO_SUCH_HEIGHT') || at === 0) throw error
    }
  }
}

async function count(cells: CellsAt, { network }: Cut, space: ShardSpace, place: Place): Promise<CountedCells> {
  const counted = new CountedCells(space, network.params)
  try {
    for await (const some of cells(space)) {
      const opened = counted.add(some.map(({ record }) => record))
      const isElsewhere = opened.some(({ path }, i) => !equal(path, some[i]?.path ?? new Uint8Array(0)))
      if (isElsewhere) throw misplaced(place)
    }
  } catch (error) {
    if (error instanceof SnapshotError) throw misplaced(place)
    throw error
  }
  return counted
}

const misplaced = (place: Place): ReplayMismatch =>
  new ReplayMismatch(place, 'cells', 'a cell in the table is in the place of another, or cannot be read')
