import { CodecError, decodeHeader, equal, headerHash, toHex } from '../../../protocol/index.ts'
import { type Network, openGenesis } from '../genesis.ts'
import { ROOT_SPACE } from '../root/root-state.ts'
import type { Totals } from '../shard/made-block.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { CountedCells } from './counted-cells.ts'
import { falseState, SnapshotError } from './errors.ts'
import { RootWindow } from './root-window.ts'
import { readSections } from './section-file.ts'
import { decodeSection, type Section, type SectionName } from './sections.ts'
import { ShardStateCheck } from './shard-state.ts'
import type { SnapshotHead, SnapshotRoot, SnapshotVisitor } from './visitor.ts'

export interface ReadSnapshotOptions {
  /** The network that it must be of; any if absent. */
  readonly network?: Uint8Array
  /** Told of all that is read. */
  readonly visitor?: SnapshotVisitor
  readonly signal?: AbortSignal
  /** Told after each piece: cells read so far. */
  readonly onProgress?: (cells: number) => void
}

/** What a snapshot is of. */
export interface SnapshotReport {
  /** The network's id, 32 bytes. */
  readonly network: Uint8Array
  readonly name: string
  readonly rootHeight: number
  /** Hash of the root header that the votes are for, 32 bytes. */
  readonly rootHash: Uint8Array
  readonly shards: number
  readonly cells: number
  readonly deferred: number
  /** Root blocks in it: those that some shard has not taken in. */
  readonly rootBlocks: number
}

/**
 * Reads a snapshot and checks all of it against the votes for its root block: the chain of root blocks that some shard
 * has not taken in, each shard's last block, cells and waiting messages, and the supply. Memory: one section.
 * @throws SnapshotError, the system's error
 */
export async function readSnapshot(path: string, options: ReadSnapshotOptions = {}): Promise<SnapshotReport> {
  const { signal, onProgress } = options
  const reading = new SnapshotReading(options)
  try {
    for await (const bytes of readSections(path)) {
      signal?.throwIfAborted()
      await reading.take(decodeSection(bytes))
      onProgress?.(reading.cells)
    }
    return reading.report()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new SnapshotError('DAMAGED', `${path} cannot be read: ${error.message}`, { cause: error })
  }
}

/** Far more than a network runs at a time. */
const MAX_SHARDS = 16_384

/** Which sections may follow which. */
const NEXT: Readonly<Record<SectionName | 'begin', readonly SectionName[]>> = {
  begin: ['snapshot'],
  snapshot: ['exports'],
  exports: ['shards'],
  shards: ['root'],
  root: ['root', 'sent', 'votes'],
  sent: ['root', 'sent', 'votes'],
  votes: ['root-cells', 'shard'],
  'root-cells': ['root-cells', 'shard'],
  shard: ['shard', 'cells', 'deferred', 'end'],
  cells: ['shard', 'cells', 'deferred', 'end'],
  deferred: ['shard', 'deferred', 'end'],
  end: [],
}

/** A snapshot as far as it was read. */
class SnapshotReading {
  readonly #options: ReadSnapshotOptions
  #last: SectionName | 'begin' = 'begin'
  #sections = 0
  #opening: Omit<SnapshotHead, 'shards' | 'exports'> | undefined
  #exports: SnapshotHead['exports'] = []
  #head: SnapshotHead | undefined
  #window: RootWindow | undefined
  #root: SnapshotRoot | undefined
  #rootCells: CountedCells | undefined
  #rootHoldings = 0n
  #shard: ShardStateCheck | undefined
  #shardsRead = 0
  #totals = { held: 0n, inFlight: 0n }
  #deferred = 0
  cells = 0

  constructor(options: ReadSnapshotOptions) {
    this.#options = options
  }

  async take(section: Section): Promise<void> {
    if (!NEXT[this.#last].includes(section.name))
      throw new SnapshotError('DAMAGED', `a section "${section.name}" follows "${this.#last}"`)
    this.#last = section.name
    this.#sections++
    const { visitor } = this.#options
    switch (section.name) {
      case 'snapshot':
        return this.#open(...section.items)
      case 'shards':
        return this.#cut(section.items[0])
      case 'exports':
        this.#exports = section.items[0]
        return
      case 'root': {
        const root = this.#roots.root(...section.items)
        return visitor?.root?.(root)
      }
      case 'sent': {
        const { block, root } = this.#roots.sent(...section.items)
        return visitor?.sent?.(block, root)
      }
      case 'votes':
        return this.#beginState(...section.items)
      case 'root-cells': {
        const cells = present(this.#rootCells).add(section.items[0])
        this.cells += cells.length
        return visitor?.rootCells?.(cells)
      }
      case 'shard':
        return this.#beginShard(...section.items)
      case 'cells': {
        const { shard } = this.#present
        const cells = this.#present.cells.add(section.items[0])
        this.cells += cells.length
        return visitor?.cells?.(shard, cells)
      }
      case 'deferred': {
        const messages = this.#present.deferred(section.items[0])
        this.#deferred += messages.length
        return visitor?.deferred?.(this.#present.shard, messages)
      }
      case 'end':
        return this.#end(section.items[0])
    }
  }

  /** @throws SnapshotError DAMAGED if the file ended too early */
  report(): SnapshotReport {
    const head = this.#head
    if (this.#last !== 'end' || head === undefined)
      throw new SnapshotError('DAMAGED', 'the file ends before the snapshot does: copy it again')
    const { network, height, from, shards } = head
    return {
      network: network.id,
      name: network.genesis.name,
      rootHeight: height,
      rootHash: present(this.#root).hash,
      shards: shards.length,
      cells: this.cells,
      deferred: this.#deferred,
      rootBlocks: height - from + 1,
    }
  }

  #open(document: Uint8Array, height: number, from: number): void {
    const network = networkOf(document)
    const { network: wanted } = this.#options
    if (wanted !== undefined && !equal(wanted, network.id))
      throw new SnapshotError(
        'OTHER_NETWORK',
        `the snapshot is of the network "${network.genesis.name}" ${toHex(network.id)}, not of ${toHex(wanted)}`,
      )
    this.#opening = { network, document, height, from }
  }

  async #cut(encoded: readonly Uint8Array[]): Promise<void> {
    const opening = present(this.#opening)
    if (encoded.length > MAX_SHARDS)
      throw new SnapshotError('DAMAGED', `${encoded.length} shards are more than there can be`)
    const shards = encoded.map((bytes) => {
      const header = decodeHeader(bytes)
      return { space: shardSpace(header.shard), header, encoded: bytes, hash: headerHash(bytes) }
    })
    const cursors = shards.map(({ header }) => header.rootCursor)
    if (Math.min(...cursors) < opening.from) throw falseState('it begins behind what its shards have taken in')
    this.#head = { ...opening, shards, exports: this.#exports }
    this.#window = new RootWindow(this.#head)
    await this.#options.visitor?.head?.(this.#head)
  }

  async #beginState(...[votes, holdings, emitted, consumed]: VotesItems): Promise<void> {
    this.#root = this.#roots.votes(votes)
    this.#rootCells = new CountedCells(ROOT_SPACE, present(this.#head).network.params)
    this.#rootHoldings = holdings
    this.#count({ holdings, emitted, consumed })
    await this.#options.visitor?.votes?.(votes, this.#root, { holdings, emitted, consumed })
  }

  #endRootCells(): void {
    const cells = present(this.#rootCells)
    const { header } = present(this.#root)
    if (!equal(cells.root(), header.cellsRoot) || cells.holdings !== this.#rootHoldings)
      throw falseState(`the root chain's own cells are not those of root block ${header.height}`)
  }

  #count({ holdings, emitted, consumed }: Totals): void {
    this.#totals.held += holdings
    this.#totals.inFlight += emitted - consumed
  }

  async #beginShard(...[id, body, receipts, outgoing, holdings, emitted, consumed]: ShardItems): Promise<void> {
    if (this.#shard === undefined) this.#endRootCells()
    else this.#shard.end()
    const { network, shards } = present(this.#head)
    const shard = shards[this.#shardsRead++]
    if (shard === undefined || shard.space.id !== id)
      throw falseState(`shard ${id} comes where ${shard?.space.id ?? 'none'} should`)
    const block = { body, receipts, outgoing, totals: { holdings, emitted, consumed } }
    this.#shard = new ShardStateCheck(shard, block, network.params)
    this.#count(block.totals)
    await this.#options.visitor?.shard?.(shard, block)
  }

  #end(count: number): void {
    this.#shard?.end()
    const { network, shards } = present(this.#head)
    if (count !== this.#sections - 1) throw new SnapshotError('DAMAGED', `${count} sections were written`)
    const missing = shards[this.#shardsRead]
    if (missing !== undefined) throw falseState(`the state of shard ${missing.space.id} is missing`)
    const { held, inFlight } = this.#totals
    const { pending } = this.#roots
    if (inFlight !== pending) throw falseState(`shards await ${pending}, and are said to await ${inFlight}`)
    if (held + inFlight !== network.supply)
      throw falseState(`all coins add up to ${held + inFlight}, not to ${network.supply}`)
  }

  get #roots(): RootWindow {
    return present(this.#window)
  }

  get #present(): ShardStateCheck {
    return present(this.#shard)
  }
}

type VotesItems = Extract<Section, { name: 'votes' }>['items']
type ShardItems = Extract<Section, { name: 'shard' }>['items']

/** The order of the sections sees to it that it is there. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a section came before the one that it needs')
  return value
}

/** @throws SnapshotError DAMAGED */
function networkOf(document: Uint8Array): Network {
  try {
    return openGenesis(document)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SnapshotError('DAMAGED', `its genesis document cannot be used: ${why}`, { cause: error })
  }
}
