import { rm } from 'node:fs/promises'
import { type ReadLedgerOptions, readLedger, type StoredLedger } from '../hosting/read-ledger.ts'
import { encodeExportChanges } from '../root/exports.ts'
import { decodeEntries } from '../root/root-store.ts'
import type { RootView } from '../root/root-view.ts'
import type { Totals } from '../shard/made-block.ts'
import { type CellsAt, cellsAt, ROOT_CELLS } from './cells-at.ts'
import { type Cut, cutAt, type StoredCutShard } from './cut.ts'
import { SectionWriter } from './section-file.ts'
import { encodeSection, type SectionName } from './sections.ts'
import { sentBlocks, storedRoots } from './stored-roots.ts'
import { storedView } from './stored-view.ts'
import { waitingMessages } from './waiting-messages.ts'

/** Messages in one section. */
const MESSAGES = 500

export interface WriteSnapshotOptions extends Pick<ReadLedgerOptions, 'sql' | 'shardHosts'> {
  /** The file to make; there must be none. */
  readonly path: string
  /** Root height that it is to be of; the last one if absent. */
  readonly height?: number
  readonly signal?: AbortSignal
  /** Told after each piece: cells written so far. */
  readonly onProgress?: (cells: number) => void
}

/**
 * Writes what the network is at a root height to a file, from a node's database and those of its shard hosts,
 * while they may go on. Memory: some thousand cells. To be read again (`readSnapshot`) before it is relied upon: nothing
 * is checked here.
 * @throws SnapshotError NO_SUCH_HEIGHT or HISTORY_MISSING; what `readLedger` throws; the system's error; no file is left
 *   then
 */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<void> {
  const file = await SectionWriter.create(options.path)
  try {
    await readLedger(options, (ledger) => new SnapshotWriting(ledger, file, options).run())
    await file.close()
  } catch (error) {
    await file.abandon()
    await rm(options.path, { force: true })
    throw error
  }
}

class SnapshotWriting {
  readonly #ledger: StoredLedger
  readonly #file: SectionWriter
  readonly #options: WriteSnapshotOptions
  #sections = 0
  #written = 0

  constructor(ledger: StoredLedger, file: SectionWriter, options: WriteSnapshotOptions) {
    this.#ledger = ledger
    this.#file = file
    this.#options = options
  }

  async run(): Promise<void> {
    const cut = await cutAt(this.#ledger, this.#options.height)
    await this.#add('snapshot', [cut.document, cut.height, cut.from])
    await this.#add('exports', [cut.exports.map(([key, value]) => [key, value] as const)])
    await this.#add('shards', [cut.shards.map(({ encoded }) => encoded)])
    await this.#roots(cut)
    const cells = await cellsAt(this.#ledger, cut)
    await this.#cells(cells(ROOT_CELLS), 'root-cells')
    const view = await storedView(this.#ledger.main, cut.height)
    for (const shard of cut.shards) await this.#shard(shard, cells, view)
    await this.#add('end', [this.#sections])
  }

  async #roots({ from, height }: Cut): Promise<void> {
    for await (const root of storedRoots(this.#ledger.main, from, height)) {
      // What the first one exported is among what the head of the snapshot has.
      const exports = root.height === from ? encodeExportChanges([]) : root.exports
      await this.#add('root', [root.header, root.entries, exports, root.outgoing])
      // What the first one lists, every shard has taken in.
      const entries = root.height === from ? [] : decodeEntries(root.entries)
      for (const block of entries.length === 0 ? [] : await sentBlocks(this.#ledger, entries))
        await this.#add('sent', [block.header, block.outgoing])
      if (root.height === height) await this.#add('votes', [root.votes, ...amounts(root.totals)])
    }
  }

  async #shard({ space, header, body, receipts, outgoing, totals }: StoredCutShard, cells: CellsAt, view: RootView) {
    await this.#add('shard', [space.id, body, receipts, outgoing, ...amounts(totals)])
    await this.#cells(cells(space), 'cells')
    const waiting = [...(await waitingMessages(this.#ledger, header, view))]
    waiting.sort((a, b) => Buffer.compare(a.key, b.key))
    for (let i = 0; i < waiting.length; i += MESSAGES)
      await this.#add('deferred', [waiting.slice(i, i + MESSAGES).map(({ key, encoded }) => [key, encoded] as const)])
  }

  async #cells(found: ReturnType<CellsAt>, name: 'cells' | 'root-cells') {
    for await (const cells of found) {
      this.#written += cells.length
      await this.#add(name, [cells.map(({ record }) => record)])
      this.#options.onProgress?.(this.#written)
    }
  }

  async #add<N extends SectionName>(name: N, items: Parameters<typeof encodeSection<N>>[1]): Promise<void> {
    this.#options.signal?.throwIfAborted()
    await this.#file.add(encodeSection(name, items))
    this.#sections++
  }
}

const amounts = ({ holdings, emitted, consumed }: Totals): [bigint, bigint, bigint] => [holdings, emitted, consumed]
