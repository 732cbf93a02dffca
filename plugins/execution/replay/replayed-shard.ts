import {
  type BlockHeader,
  decodeBody,
  decodeHeader,
  decodeTransaction,
  encode,
  equal,
  signingBytesOf,
  toHex,
} from '../../../protocol/index.ts'
import { verify } from '../../../server/crypto/ed25519.ts'
import type { Network } from '../genesis.ts'
import { type FirstCell, genesisBlock } from '../genesis-block.ts'
import { MAX_BLOCK_TRANSACTIONS, MAX_BODY_BYTES } from '../ledger/rules.ts'
import { genesisExports } from '../root/genesis-exports.ts'
import type { RootMoment } from '../root/root-moment.ts'
import { RootView } from '../root/root-view.ts'
import { type PricingParts, poolEntry } from '../shard/admission.ts'
import { BlockMaker } from '../shard/block-maker.ts'
import { type ChainTip, tipAfter } from '../shard/chain-tip.ts'
import { type ChildState, childrenOf, childTip, EMPTY_BODY, firstBlock } from '../shard/child-state.ts'
import { readDelta } from '../shard/delta.ts'
import type { DeferredMessage, RootDelivery } from '../shard/inbox.ts'
import { type LedgerRules, pricingAt } from '../shard/ledger-rules.ts'
import type { MadeBlock } from '../shard/made-block.ts'
import { indexOut, itemsFor, splitOut } from '../shard/out-index.ts'
import type { PoolEntry } from '../shard/pool-entry.ts'
import { type ShardSpace, shardSpace } from '../shard/shard-space.ts'
import { CellStore } from '../state/cell-store.ts'
import { Holdings } from '../state/holdings.ts'
import { isEmpty, openRecord, sealRecord } from '../state/ledger-cell.ts'
import { Trie } from '../state/trie.ts'
import { mustEqual, type Place, ReplayMismatch, readable } from './mismatch.ts'
import type { PastRoot } from './past-roots.ts'

/** A block as it is stored. */
export interface StoredBlock {
  readonly shard: string
  readonly height: number
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly receipts: Uint8Array
  readonly outgoing: Uint8Array
  readonly delta: Uint8Array
}

/** What a block may know of the root chain. */
export interface RootPast {
  /** Of the last root block before it. */
  readonly height: number
  /** Of that one, or one before it. */
  at(height: number): PastRoot
}

/** In the order in which they are told when several differ: causes before what follows from them. */
const FIELDS = [
  'shard',
  'prevHash',
  'rootCursor',
  'arrivals',
  'basePrice',
  'bodyHash',
  'txCount',
  'txWeight',
  'weight',
  'congestion',
  'time',
  'txRoot',
  'outRoot',
  'deferredRoot',
  'cellsRoot',
] as const satisfies readonly (keyof BlockHeader)[]

const NOTHING = new Uint8Array(0)

/** What a shard is after a block, from which it is executed on. */
export interface ShardStart {
  readonly space: ShardSpace
  readonly tip: ChainTip
  /** CBOR of the header of its last block. */
  readonly header: Uint8Array
  readonly trie: Trie
  readonly cells: readonly FirstCell[]
  /** Messages that wait for room, oldest first. */
  readonly waiting: readonly DeferredMessage[]
  /** Of the root block up to which it took messages in: its randomness, and what the root chain exports as of it. */
  readonly random: Uint8Array
  readonly view: RootView
}

/** One shard, executed again. All of its state is in memory: about 500 bytes a cell. */
export class ReplayedShard {
  readonly space: ShardSpace
  readonly #rules: LedgerRules
  readonly #store = new CellStore({ cacheSize: 2 })
  readonly #maker: BlockMaker
  /** What its cells and waiting messages came to when it began, in the smallest unit. */
  readonly held: bigint
  #tip: ChainTip
  #header: Uint8Array
  #deliveries: readonly RootDelivery[] = []
  /** A root block lists its first block, or this one began behind that. */
  isListed = true
  transactions = 0

  constructor(rules: LedgerRules, { space, tip, header, trie, cells, waiting, random, view }: ShardStart) {
    this.space = space
    this.#rules = rules
    this.#tip = tip
    this.#header = header
    const { library, params } = rules
    const holdings = new Holdings(space.prefix.length)
    for (const { path, record } of cells) {
      const cell = openRecord(record, path)
      this.#store.restore(cell)
      holdings.add(path, cell.balance + params.depositPerByte * BigInt(cell.depositBytes))
    }
    const load = async (): Promise<void> => {
      throw new TypeError('a replay has every cell in memory')
    }
    const parts = { space, library, store: this.#store, trie, params, load }
    this.#maker = new BlockMaker(parts, { waiting, holdings, random, view })
    this.held = waiting.reduce((sum, { message }) => sum + message.value, holdings.total)
  }

  /** A shard of the genesis document, at its first block. */
  static atGenesis(id: string, network: Network, rules: LedgerRules): ReplayedShard {
    const space = shardSpace(id)
    const { cells, trie, header, hash, body, holdings } = genesisBlock(network, space)
    const totals = { holdings, emitted: 0n, consumed: 0n }
    const tip = tipAfter(decodeHeader(header), { hash, bodyBytes: body.length, totals })
    const view = RootView.EMPTY.with(genesisExports(network.genesis))
    return new ReplayedShard(rules, { space, tip, header, trie, cells, waiting: [], random: network.id, view })
  }

  /** A shard that was split off from none, at its first block: it begins with nothing, at this root block. */
  static atRoot(space: ShardSpace, root: RootMoment, rules: LedgerRules): ReplayedShard {
    const { header, headerBytes, hash, totals } = firstBlock(space, root, rules.params)
    const shard = new ReplayedShard(rules, {
      space,
      tip: tipAfter(header, { hash, bodyBytes: EMPTY_BODY.length, totals }),
      header: headerBytes,
      trie: new Trie({ keyBytes: 32, depth: space.prefix.length }),
      cells: [],
      waiting: [],
      random: root.random,
      view: RootView.EMPTY.with(root.exports),
    })
    shard.isListed = false
    return shard
  }

  get height(): number {
    return this.#tip.height
  }

  get hash(): Uint8Array {
    return this.#tip.hash
  }

  /** Balances, deposits and deferred messages, in the smallest unit; and what it ever sent and took in. */
  get totals(): ChainTip['totals'] {
    return this.#tip.totals
  }

  /** Root height up to which it took messages in. */
  get rootCursor(): number {
    return this.#tip.rootCursor
  }

  /** True after its last block: its children go on. */
  get isOver(): boolean {
    return this.#maker.until === this.#tip.rootCursor
  }

  /** Its children, each at its first block, with what was delivered and not taken in. It must be over. */
  split(): readonly [ReplayedShard, ReplayedShard] {
    const estate = this.#maker.estate(this.#tip, this.#header)
    const cells = this.#store.takeDirty().filter((cell) => !isEmpty(cell))
    const [left, right] = childrenOf(estate)
    const make = (child: ChildState): ReplayedShard => {
      const space = shardSpace(child.header.shard)
      const shard = new ReplayedShard(this.#rules, {
        space,
        tip: childTip(child),
        header: child.headerBytes,
        trie: Trie.of(child.trie),
        cells: cells
          .filter(({ path }) => space.contains(path))
          .map((cell) => ({ path: cell.path, record: sealRecord(cell) })),
        waiting: child.waiting,
        random: estate.random,
        view: estate.view,
      })
      shard.isListed = false
      shard.#deliveries = this.#deliveries.map((delivery) => narrowed(delivery, space))
      return shard
    }
    return [make(left), make(right)]
  }

  /** Compares its first block, which follows from what came before it, with the stored one. @throws ReplayMismatch */
  begin(stored: StoredBlock): void {
    const place = { shard: this.space.id, height: this.#tip.height }
    mustEqual(place, 'height', stored.height, place.height)
    mustEqual(place, 'header', stored.header, this.#header)
    mustEqual(place, 'hash', stored.hash, this.#tip.hash)
    mustEqual(place, 'body', stored.body, EMPTY_BODY)
    mustEqual(place, 'receipts', stored.receipts, NOTHING)
    mustEqual(place, 'outgoing', stored.outgoing, NOTHING)
    mustEqual(place, 'delta', stored.delta, encode([]))
    this.isListed = true
  }

  get deferredRoot(): Uint8Array {
    return this.#maker.deferredRoot
  }

  /** What a root block brings; blocks take it in by their cursor. */
  deliver(delivery: RootDelivery): void {
    if (delivery.sources.length > 0 || delivery.exports.length > 0) this.#deliveries = [...this.#deliveries, delivery]
  }

  /**
   * Executes the next block again.
   * @param root the root chain as far as it was checked
   * @throws ReplayMismatch at the first difference
   */
  async replay(stored: StoredBlock, root: RootPast): Promise<MadeBlock> {
    const place = { shard: this.space.id, height: this.#tip.height + 1 }
    mustEqual(place, 'height', stored.height, place.height)
    const header = readable(place, 'header', () => decodeHeader(stored.header))
    mustEqual(place, 'prevHash', header.prevHash, this.#tip.hash)
    const wires = readable(place, 'body', () => decodeBody(stored.body))
    const wireBytes = wires.reduce((sum, wire) => sum + wire.length, 0)
    if (wires.length > MAX_BLOCK_TRANSACTIONS || wireBytes > MAX_BODY_BYTES)
      throw new ReplayMismatch(place, 'body', `it has ${wires.length} transactions of ${wireBytes} bytes: too many`)
    const deliveries = this.#take(place, header.rootCursor, root)
    const pricing = pricingAt(this.#rules, this.#maker.viewAfter(deliveries), header.rootCursor)
    const candidates = wires.map((wire, index) => this.#candidate(place, wire, index, header.rootCursor, pricing))
    const earliest = Math.max(this.#tip.time, deliveries.at(-1)?.time ?? 0)
    if (header.time < earliest)
      throw new ReplayMismatch(
        place,
        'time',
        `its time ${header.time} is before that of the block before, or of the root block that it takes in: ${earliest}`,
      )
    const { block, left } = await this.#maker.make(this.#tip, { deliveries, candidates, now: header.time })
    const [missing] = Object.values(left).flat()
    if (missing !== undefined)
      throw new ReplayMismatch(
        place,
        'body',
        `transaction ${toHex(missing.transaction.id)} could not be included there`,
      )
    if (block === undefined) throw new ReplayMismatch(place, 'body', 'there was nothing to do, so no block is made')
    this.#compare(place, stored, header, block)
    this.#store.committed(place.height)
    this.#tip = tipAfter(block.header, { hash: block.hash, bodyBytes: block.body.length, totals: block.totals })
    this.#header = block.headerBytes
    this.transactions += candidates.length
    return block
  }

  #candidate(place: Place, wire: Uint8Array, index: number, rootHeight: number, pricing: PricingParts): PoolEntry {
    const transaction = readable(place, 'body', () => decodeTransaction(wire))
    const refuse = (why: string): never => {
      throw new ReplayMismatch(place, 'body', `transaction ${index} (${toHex(transaction.id)}) ${why}`)
    }
    if (!verify(transaction.signature, signingBytesOf(transaction), transaction.key)) refuse('has a wrong signature')
    const made = poolEntry(pricing, wire, transaction.id, rootHeight)
    return 'refusal' in made ? refuse(`would be refused: ${made.refusal.code}`) : made.entry
  }

  /** The deliveries up to a cursor; the last one is that of the cursor itself, as it gives the block its randomness. */
  #take(place: Place, cursor: number, root: RootPast): RootDelivery[] {
    if (cursor < this.#tip.rootCursor || cursor > root.height)
      throw new ReplayMismatch(place, 'rootCursor', `it takes in root block ${cursor}, which is not before it`)
    const waiting = this.#deliveries
    const taken = waiting.filter(({ height }) => height <= cursor)
    // One of those that it takes in may say when it is split.
    const until = this.#maker.viewAfter(taken).shards.get(this.space.id)?.until ?? undefined
    if (this.isOver || cursor > (until ?? cursor))
      throw new ReplayMismatch(place, 'rootCursor', `the shard was split at root block ${until}: its children go on`)
    this.#deliveries = waiting.slice(taken.length)
    const isComplete = (taken.at(-1)?.height ?? this.#tip.rootCursor) === cursor
    return isComplete ? taken : [...taken, { height: cursor, ...root.at(cursor), exports: [], sources: [] }]
  }

  #compare(place: Place, stored: StoredBlock, header: BlockHeader, block: MadeBlock): void {
    if (!equal(stored.delta, block.delta)) throw differentCells(place, stored.delta, block.delta)
    for (const field of FIELDS) mustEqual(place, field, header[field], block.header[field])
    mustEqual(place, 'header', stored.header, block.headerBytes)
    mustEqual(place, 'hash', stored.hash, block.hash)
    mustEqual(place, 'receipts', stored.receipts, block.receipts)
    mustEqual(place, 'outgoing', stored.outgoing, block.outgoing)
  }
}

/** What a delivery brings to a part of the shard that it was for. */
function narrowed(delivery: RootDelivery, space: ShardSpace): RootDelivery {
  const sources = delivery.sources.map(({ shard, height, items }) => {
    return { shard, height, items: itemsFor(items, indexOut(splitOut(items)), space) }
  })
  return { ...delivery, sources: sources.filter(({ items }) => items.length > 0) }
}

/** Names the first cell that differs. */
function differentCells(place: Place, stored: Uint8Array, replayed: Uint8Array): ReplayMismatch {
  const before = readable(place, 'delta', () => readDelta(stored))
  const after = readDelta(replayed)
  const at = after.findIndex(
    ({ path, record }, i) =>
      !equal(path, before[i]?.path ?? new Uint8Array(0)) || !sameRecord(record, before[i]?.record ?? null),
  )
  const cell = after[at] ?? before[after.length]
  return new ReplayMismatch(
    place,
    'delta',
    `the cell at path ${cell === undefined ? '?' : toHex(cell.path)} is stored otherwise than its execution leaves it`,
  )
}

const sameRecord = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === null || b === null ? a === b : equal(a, b)
