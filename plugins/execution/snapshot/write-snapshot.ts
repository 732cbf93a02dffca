import { rm } from 'node:fs/promises'
import { ROOT_REALM } from '../../../protocol/index.ts'
import type { Sql, Transaction } from '../../../server/plugin.ts'
import { shardElsewhere } from '../hosting/places.ts'
import { encodeExportChanges } from '../root/exports.ts'
import { decodeEntries } from '../root/root-store.ts'
import { RootView } from '../root/root-view.ts'
import { storedExports } from '../root/stored-exports.ts'
import type { Totals } from '../shard/made-block.ts'
import { type Cut, cutAt, type StoredCutShard } from './cut.ts'
import { SnapshotError } from './errors.ts'
import { PastCells } from './past-cells.ts'
import { SectionWriter } from './section-file.ts'
import { encodeSection, type SectionName } from './sections.ts'
import { sentBlocks, storedRoots } from './stored-roots.ts'
import { waitingMessages } from './waiting-messages.ts'

/** Messages in one section. */
const MESSAGES = 500

export interface WriteSnapshotOptions {
  /** A pool whose search_path is the schema of the execution plugin. */
  readonly sql: Sql
  /** The file to make; there must be none. */
  readonly path: string
  /** Root height that it is to be of; the last one if absent. */
  readonly height?: number
  readonly signal?: AbortSignal
  /** Told after each piece: cells written so far. */
  readonly onProgress?: (cells: number) => void
}

/**
 * Writes what the network is at a root height to a file, from a node's database, while the node may go on. Memory: some
 * thousand cells. To be read again (`readSnapshot`) before it is relied upon: nothing is checked here.
 * @throws SnapshotError NO_SUCH_HEIGHT, HISTORY_MISSING or SHARDS_ELSEWHERE; the system's error; no file is left then
 */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<void> {
  const file = await SectionWriter.create(options.path)
  try {
    // Temporary tables are made, so it is not read only.
    await options.sql.begin('isolation level repeatable read', (tx) => new SnapshotWriting(tx, file, options).run())
    await file.close()
  } catch (error) {
    await file.abandon()
    await rm(options.path, { force: true })
    throw error
  }
}

class SnapshotWriting {
  readonly #tx: Transaction
  readonly #file: SectionWriter
  readonly #options: WriteSnapshotOptions
  #sections = 0
  #cells = 0

  constructor(tx: Transaction, file: SectionWriter, options: WriteSnapshotOptions) {
    this.#tx = tx
    this.#file = file
    this.#options = options
  }

  async run(): Promise<void> {
    const elsewhere = await shardElsewhere(this.#tx)
    if (elsewhere !== undefined)
      throw new SnapshotError(
        'SHARDS_ELSEWHERE',
        `shard ${elsewhere} lives on a shard host, and a snapshot is made from one database: it would not be whole`,
      )
    const cut = await cutAt(this.#tx, this.#options.height)
    await this.#add('snapshot', [cut.document, cut.height, cut.from])
    await this.#add('exports', [cut.exports.map(([key, value]) => [key, value] as const)])
    await this.#add('shards', [cut.shards.map(({ encoded }) => encoded)])
    await this.#roots(cut)
    const past = await PastCells.at(this.#tx, cut)
    await this.#cellsOf(past, 'root-cells', { realm: ROOT_REALM, prefix: '' })
    const view = RootView.EMPTY.with(await storedExports(this.#tx, cut.height))
    for (const shard of cut.shards) await this.#shard(shard, past, view)
    await this.#add('end', [this.#sections])
  }

  async #roots({ from, height }: Cut): Promise<void> {
    for await (const root of storedRoots(this.#tx, from, height)) {
      // What the first one exported is among what the head of the snapshot has.
      const exports = root.height === from ? encodeExportChanges([]) : root.exports
      await this.#add('root', [root.header, root.entries, exports, root.outgoing])
      // What the first one lists, every shard has taken in.
      const entries = root.height === from ? [] : decodeEntries(root.entries)
      for (const block of entries.length === 0 ? [] : await sentBlocks(this.#tx, entries))
        await this.#add('sent', [block.header, block.outgoing])
      if (root.height === height) await this.#add('votes', [root.votes, ...amounts(root.totals)])
    }
  }

  async #shard({ space, header, body, receipts, outgoing, totals }: StoredCutShard, past: PastCells, view: RootView) {
    await this.#add('shard', [space.id, body, receipts, outgoing, ...amounts(totals)])
    await this.#cellsOf(past, 'cells', space)
    const waiting = [...(await waitingMessages(this.#tx, header, view))]
    waiting.sort((a, b) => Buffer.compare(a.key, b.key))
    for (let i = 0; i < waiting.length; i += MESSAGES)
      await this.#add('deferred', [waiting.slice(i, i + MESSAGES).map(({ key, encoded }) => [key, encoded] as const)])
  }

  async #cellsOf(past: PastCells, name: 'cells' | 'root-cells', space: { realm: number; prefix: string }) {
    for await (const cells of past.of(space)) {
      this.#cells += cells.length
      await this.#add(name, [cells.map(({ record }) => record)])
      this.#options.onProgress?.(this.#cells)
    }
  }

  async #add<N extends SectionName>(name: N, items: Parameters<typeof encodeSection<N>>[1]): Promise<void> {
    this.#options.signal?.throwIfAborted()
    await this.#file.add(encodeSection(name, items))
    this.#sections++
  }
}

const amounts = ({ holdings, emitted, consumed }: Totals): [bigint, bigint, bigint] => [holdings, emitted, consumed]
