import {
  concat,
  decodeRootHeader,
  decodeVotes,
  equal,
  headersRoot,
  listRoot,
  ROOT_SHARD,
  type RootHeader,
  rootHeaderHash,
  sha256,
  sortCommitted,
  votingBytes,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import { verify } from '../../../server/crypto/ed25519.ts'
import type { Network } from '../genesis.ts'
import { type FirstCell, holdingsOf } from '../genesis-block.ts'
import type { ModuleLibrary } from '../ledger/module-library.ts'
import { ExportTrie } from '../root/export-trie.ts'
import { decodeExportChanges, type ExportChange, encodeExportChanges } from '../root/exports.ts'
import { type BlockOutgoing, type RoutedRoot, releasedBy, sourcesFor } from '../root/feeder.ts'
import { genesisRoot } from '../root/genesis-root.ts'
import type { MadeRoot, RootInput } from '../root/made-root.ts'
import type { RootBlock } from '../root/orderer.ts'
import { ROOT_SPACE, type RootMemory, RootState } from '../root/root-state.ts'
import { decodeEntries, encodeEntries } from '../root/root-store.ts'
import { RootView } from '../root/root-view.ts'
import type { MadeBlock } from '../shard/made-block.ts'
import { splitOut } from '../shard/out-index.ts'
import { mustEqual, type Place, ReplayMismatch, readable } from './mismatch.ts'
import { type PastRoot, PastRoots } from './past-roots.ts'

const NOTHING = new Uint8Array(0)
/** Of the root chain before anything of it was executed. */
const NO_TOTALS = { holdings: 0n, emitted: 0n, consumed: 0n }

/** A root block as it is stored. */
export interface StoredRoot {
  readonly height: number
  readonly hash: Uint8Array
  readonly header: Uint8Array
  /** As root/root-store.ts writes them. */
  readonly entries: Uint8Array
  readonly votes: Uint8Array
  readonly outgoing: Uint8Array
  readonly delta: Uint8Array
  readonly exports: Uint8Array
}

/** A shard block, as far as it sent messages. */
export type SentBlock = Pick<MadeBlock, 'outgoing' | 'outIndex'> & {
  readonly header: { readonly shard: string; readonly height: number }
}

/** A root chain that is stored from a snapshot on: its last root block is signed, those before it are what that follows. */
export interface ImportedRoots {
  /** Height of the first root block that there is. */
  readonly first: number
  /** Of the one that the snapshot was of. */
  readonly height: number
  /** What the root chain exported as of the first, sorted by key. */
  readonly exports: readonly ExportChange[]
}

/**
 * The root chain, checked and executed again from its first block on: links, what it commits, its own state, randomness
 * and votes.
 */
export class ReplayedRoot {
  readonly #network: Network
  readonly #library: ModuleLibrary
  #state: RootState | undefined
  /** What the root chain exports, as long as it is not executed. */
  #view = RootView.EMPTY
  readonly #exports = new ExportTrie()
  #inbound: RootInput['sources'] = []
  /** What the root block before the last one sent. */
  #released: Uint8Array = new Uint8Array(0)
  #tip: RootBlock | undefined
  #imported: ImportedRoots | undefined
  readonly #past = new PastRoots()

  constructor(network: Network, library: ModuleLibrary) {
    this.#network = network
    this.#library = library
  }

  /** Of the last root block; before the first one, one less than its height. */
  get height(): number {
    return this.#tip?.header.height ?? this.#first - 1
  }

  get #first(): number {
    return this.#imported?.first ?? 0
  }

  /** Of the root chain's own cells, and what it ever sent and took in. */
  get totals(): RootBlock['totals'] | undefined {
    return this.#tip?.totals
  }

  /** The stored root blocks begin with those of a snapshot: the first one stands for itself. Nothing was checked yet. */
  beginAt(imported: ImportedRoots): void {
    this.#imported = imported
  }

  /** Checks the next root block, executes it again, and gives what it says. @throws ReplayMismatch */
  async check(stored: StoredRoot): Promise<RootBlock> {
    const { place, header, entries } = this.#link(stored)
    const block =
      header.height === 0
        ? this.#begin(place, stored, header, entries)
        : await this.#execute(place, stored, header, entries)
    this.#advance(block)
    return block
  }

  /**
   * Checks the next root block without executing it: its links, what it lists, sends and exports, its randomness and
   * votes. To go on with `check`, `resume` comes first.
   * @throws ReplayMismatch
   */
  async follow(stored: StoredRoot): Promise<RootBlock> {
    const imported = this.#tip === undefined ? this.#imported : undefined
    if (this.#tip === undefined && imported === undefined) return this.check(stored)
    const { place, header, entries } = this.#link(stored)
    const exports = imported?.exports ?? readable(place, 'exports', () => decodeExportChanges(stored.exports))
    this.#exports.update(exports)
    mustEqual(place, 'exportsRoot', header.exportsRoot, this.#exports.root)
    this.#view = this.#view.with(exports)
    mustEqual(
      place,
      'outRoot',
      header.outRoot,
      readable(place, 'outgoing', () => listRoot(splitOut(stored.outgoing))),
    )
    const { outgoing } = stored
    this.#released = this.#tip?.outgoing ?? NOTHING
    const block = { header, hash: stored.hash, entries, exports, outgoing, totals: this.#tip?.totals ?? NO_TOTALS }
    this.#advance(block)
    return block
  }

  /**
   * Goes on executing after the last root block that was followed.
   * @param cells the root chain's own as of it, sorted by path
   * @throws ReplayMismatch if these are not what its header commits
   */
  resume(cells: readonly FirstCell[], totals: RootBlock['totals']): void {
    if (this.#tip === undefined) throw new TypeError('no root block was followed yet')
    const { header } = this.#tip
    const state = this.#stateOf({ height: header.height, cells, view: this.#view, totals })
    const place = { shard: ROOT_SHARD, height: header.height }
    mustEqual(place, 'cellsRoot', header.cellsRoot, state.trie.root)
    mustEqual(place, 'holdings', totals.holdings, holdingsOf(cells, this.#network.params))
    this.#state = state
    this.#tip = { ...this.#tip, totals }
  }

  /** What the root chain exports after the last root block. */
  get view(): RootView {
    return this.#state === undefined || this.#state.height < this.height ? this.#view : this.#state.view
  }

  #link(stored: StoredRoot): {
    readonly place: Place
    readonly header: RootHeader
    readonly entries: RootBlock['entries']
  } {
    const place = { shard: ROOT_SHARD, height: this.height + 1 }
    mustEqual(place, 'height', stored.height, place.height)
    const header = readable(place, 'header', () => decodeRootHeader(stored.header))
    const entries = readable(place, 'entries', () => decodeEntries(stored.entries))
    mustEqual(place, 'height', header.height, place.height)
    // What the first one of a snapshot follows is not there.
    const isAlone = this.#tip === undefined && this.#imported !== undefined
    if (!isAlone) mustEqual(place, 'prevHash', header.prevHash, this.#tip?.hash ?? ZERO_HASH)
    mustEqual(place, 'hash', stored.hash, rootHeaderHash(stored.header))
    mustEqual(place, 'headersRoot', header.headersRoot, headersRoot(entries))
    // Their order is that in which messages are delivered.
    mustEqual(place, 'entries', stored.entries, encodeEntries(sortCommitted(entries)))
    if (!isAlone) this.#checkRandomness(place, header)
    // A snapshot has the votes for its last root block only: who signs that signs all that it follows.
    if (header.height >= (this.#imported?.height ?? 0)) this.#checkVotes(place, stored)
    if (header.time < (this.#tip?.header.time ?? 0))
      throw new ReplayMismatch(place, 'time', 'its time is before that of the root block before')
    return { place, header, entries }
  }

  #advance(block: RootBlock): void {
    this.#tip = block
    this.#past.add(block.header)
  }

  /**
   * What the last root block brings to shards, given the shard blocks that it lists. What they sent to the root chain is
   * executed by the next one.
   */
  route(made: readonly SentBlock[]): RoutedRoot {
    const block = this.#tip
    if (block === undefined) throw new TypeError('no root block was checked yet')
    const { height, time, random } = block.header
    const outgoing: BlockOutgoing[] = made.map(({ header, outgoing, outIndex }) => ({
      shard: header.shard,
      height: header.height,
      bytes: outgoing,
      index: outIndex,
    }))
    if (this.#released.length > 0) outgoing.push(releasedBy(height, this.#released))
    const routed = { height, time, exports: block.exports, random, outgoing }
    this.#inbound = sourcesFor(routed, ROOT_SPACE)
    return routed
  }

  #begin(place: Place, stored: StoredRoot, header: RootHeader, entries: RootBlock['entries']): RootBlock {
    const network = this.#network
    const { cells, view, totals, header: first } = genesisRoot(network, entries)
    this.#state = this.#stateOf({ height: 0, cells, view, totals })
    this.#view = view
    this.#exports.update(view.entries())
    const { cellsRoot, exportsRoot } = decodeRootHeader(first)
    mustEqual(place, 'cellsRoot', header.cellsRoot, cellsRoot)
    mustEqual(place, 'exportsRoot', header.exportsRoot, exportsRoot)
    mustEqual(place, 'header', stored.header, first)
    const exports = view.entries()
    mustEqual(place, 'exports', stored.exports, encodeExportChanges(exports))
    return { header, hash: stored.hash, entries, exports, outgoing: new Uint8Array(0), totals }
  }

  async #execute(
    place: Place,
    stored: StoredRoot,
    header: RootHeader,
    entries: RootBlock['entries'],
  ): Promise<RootBlock> {
    if (this.#state === undefined) throw new TypeError('no root block was checked yet')
    const { height, time, random } = header
    const made = await this.#state.make({ height, time, random, sources: this.#inbound })
    this.#state.committed(height)
    this.#released = this.#tip?.outgoing ?? NOTHING
    compareMade(place, stored, header, made)
    const { exports, outgoing, totals } = made
    return { header, hash: stored.hash, entries, exports, outgoing, totals }
  }

  #stateOf(memory: RootMemory): RootState {
    const { rules, params } = this.#network
    const library = this.#library
    const registryAt = (view: RootView, height: number) => library.registryAt(view, height)
    return new RootState({ rules, depositPerByte: params.depositPerByte, registryAt }, memory)
  }

  /** What shards go by of a root block that was checked. @throws RangeError if it was not */
  at(height: number): PastRoot {
    return this.#past.at(height)
  }

  #checkRandomness(place: Place, header: RootHeader): void {
    const before = this.#tip
    if (before === undefined) {
      mustEqual(place, 'random', header.random, this.#network.id)
      mustEqual(place, 'anchor', header.anchor, this.#network.genesis.anchor)
      return
    }
    mustEqual(place, 'reveal', sha256(header.reveal), before.header.anchor)
    mustEqual(place, 'random', header.random, sha256(concat(before.header.random, header.reveal)))
  }

  #checkVotes(place: Place, { hash, votes }: StoredRoot): void {
    const { validators, quorum } = this.#network.genesis
    const message = votingBytes(hash)
    const good = readable(place, 'votes', () => decodeVotes(votes)).filter(
      ({ validator, signature }) =>
        validators.some((known) => equal(known, validator)) && verify(signature, message, validator),
    )
    const voters = new Set(good.map(({ validator }) => Buffer.from(validator).toString('hex')))
    if (voters.size < quorum)
      throw new ReplayMismatch(place, 'votes', `${voters.size} of its votes are good, and it takes ${quorum}`)
  }
}

function compareMade(place: Place, stored: StoredRoot, header: RootHeader, made: MadeRoot): void {
  mustEqual(place, 'delta', stored.delta, made.delta)
  mustEqual(place, 'exports', stored.exports, encodeExportChanges(made.exports))
  mustEqual(place, 'outgoing', stored.outgoing, made.outgoing)
  mustEqual(place, 'cellsRoot', header.cellsRoot, made.cellsRoot)
  mustEqual(place, 'outRoot', header.outRoot, made.outRoot)
  mustEqual(place, 'exportsRoot', header.exportsRoot, made.exportsRoot)
}
