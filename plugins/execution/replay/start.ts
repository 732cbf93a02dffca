import {
  type BlockHeader,
  bodyHash,
  type CommittedHeader,
  cellLeaf,
  decodeHeader,
  encodeHeader,
  equal,
  headerHash,
  listRoot,
  ROOT_SHARD,
} from '../../../protocol/index.ts'
import type { FirstCell } from '../genesis-block.ts'
import { type RoutedRoot, sourcesFor } from '../root/feeder.ts'
import type { RootBlock } from '../root/orderer.ts'
import type { RootMoment } from '../root/root-moment.ts'
import type { RootView } from '../root/root-view.ts'
import { tipAfter } from '../shard/chain-tip.ts'
import type { DeferredMessage } from '../shard/inbox.ts'
import type { LedgerRules } from '../shard/ledger-rules.ts'
import type { Totals } from '../shard/made-block.ts'
import { indexOut, splitOut } from '../shard/out-index.ts'
import { type ShardSpace, shardSpace } from '../shard/shard-space.ts'
import { Trie } from '../state/trie.ts'
import { mustEqual, ReplayMismatch } from './mismatch.ts'
import type { ImportedRoots, ReplayedRoot, SentBlock } from './replayed-root.ts'
import { ReplayedShard, type StoredBlock } from './replayed-shard.ts'
import { ReplayedShards } from './replayed-shards.ts'
import type { StoredChain } from './stored-chain.ts'

/** What the ledger is after a root block, as something says it: to be compared with what the root block commits. */
export interface ReplayStart {
  /** Of the root block. */
  readonly height: number
  /** The lowest root height that a shard has taken in. */
  readonly from: number
  /** The last block of each shard that the root block commits. */
  readonly shards: readonly {
    readonly space: ShardSpace
    readonly header: BlockHeader
    readonly hash: Uint8Array
    readonly body: Uint8Array
    readonly totals: Totals
  }[]
  /** Of the root chain. */
  readonly totals: Totals
  /** Where the stored root chain begins, if not with genesis but with a snapshot. */
  readonly imported?: ImportedRoots
  /** All cells of a shard, or of the root chain if none is named, sorted by path. */
  cells(shard?: ShardSpace): Promise<readonly FirstCell[]>
  /** What listed blocks sent, in order; undefined where one is not there. */
  sent(entries: readonly CommittedHeader[]): Promise<readonly (Pick<StoredBlock, 'header' | 'outgoing'> | undefined)[]>
  /** The messages that wait in a shard after its last block, oldest first. */
  waiting(header: BlockHeader): Promise<readonly DeferredMessage[]>
}

/**
 * Follows the root chain up to a height without executing it, and makes the shards as they were then.
 * @throws ReplayMismatch if that is not what the root block commits
 */
export async function shardsAt(
  start: ReplayStart,
  parts: {
    readonly root: ReplayedRoot
    readonly chain: StoredChain
    readonly rules: LedgerRules
    readonly signal?: AbortSignal | undefined
    readonly onFollowed: (height: number) => void
  },
): Promise<ReplayedShards> {
  const { root, chain, rules, signal, onFollowed } = parts
  const cursors = new Set(start.shards.map(({ header }) => header.rootCursor))
  const views = new Map<number, RootView>()
  const listed = new Map<string, CommittedHeader>()
  const begun = new Map<string, RootMoment>()
  const brought: RoutedRoot[] = []
  if (start.imported !== undefined) root.beginAt(start.imported)
  for await (const stored of chain.roots(root.height + 1)) {
    signal?.throwIfAborted()
    const block = await root.follow(stored)
    const { height } = block.header
    for (const entry of block.entries) listed.set(entry.shard, entry)
    if (cursors.has(height)) views.set(height, root.view)
    for (const [id, { from, parent }] of root.view.shards)
      if (parent === null && from === height) begun.set(id, momentOf(block, root.view))
    // What came before, every shard has taken in.
    if (height > start.from) brought.push(root.route(await sentBy(start, block)))
    onFollowed(height)
    if (height === start.height) break
  }
  root.resume(await start.cells(), start.totals)
  const shards: ReplayedShard[] = []
  for (const shard of start.shards) {
    signal?.throwIfAborted()
    const { header, space, hash } = shard
    const place = { shard: space.id, height: header.height }
    mustEqual(place, 'hash', hash, listed.get(space.id)?.hash ?? new Uint8Array(0))
    const view = views.get(header.rootCursor)
    if (view === undefined)
      throw new ReplayMismatch(
        place,
        'rootCursor',
        `it takes in root block ${header.rootCursor}, which is not before it`,
      )
    shards.push(await shardAt(shard, start, { rules, view, random: root.at(header.rootCursor).random }))
  }
  // Their first blocks are not listed yet.
  for (const [id, moment] of begun)
    if (!listed.has(id)) shards.push(ReplayedShard.atRoot(shardSpace(id), moment, rules))
  for (const shard of shards) {
    for (const routed of brought) {
      const { height, time, exports, random } = routed
      if (height > shard.rootCursor)
        shard.deliver({ height, time, exports, random, sources: sourcesFor(routed, shard.space) })
    }
  }
  return new ReplayedShards(rules, shards, root.view)
}

const momentOf = ({ header }: RootBlock, view: RootView): RootMoment => ({
  height: header.height,
  time: header.time,
  random: header.random,
  exports: view.entries(),
})

async function shardAt(
  { space, header, hash, body, totals }: ReplayStart['shards'][number],
  start: ReplayStart,
  parts: { readonly rules: LedgerRules; readonly view: RootView; readonly random: Uint8Array },
): Promise<ReplayedShard> {
  const place = { shard: space.id, height: header.height }
  const cells = await start.cells(space)
  const trie = new Trie({ keyBytes: 32, depth: space.prefix.length })
  trie.update(cells.map(({ path, record }) => ({ key: path, leaf: cellLeaf(path, record) })))
  mustEqual(place, 'cellsRoot', header.cellsRoot, trie.root)
  mustEqual(place, 'bodyHash', header.bodyHash, bodyHash(body))
  const tip = tipAfter(header, { hash, bodyBytes: body.length, totals })
  const { rules, view, random } = parts
  const replayed = new ReplayedShard(rules, {
    space,
    tip,
    header: encodeHeader(header),
    trie,
    cells,
    waiting: await start.waiting(header),
    random,
    view,
  })
  mustEqual(place, 'deferredRoot', header.deferredRoot, replayed.deferredRoot)
  mustEqual(place, 'holdings', totals.holdings, replayed.held)
  return replayed
}

/** What the blocks that a root block lists sent, as it is stored; compared with their headers. */
async function sentBy(start: ReplayStart, { header, entries }: RootBlock): Promise<SentBlock[]> {
  const stored = entries.length === 0 ? [] : await start.sent(entries)
  return entries.map(({ shard, height, hash }, i) => {
    const block = stored[i]
    if (block === undefined || !equal(headerHash(block.header), hash))
      throw new ReplayMismatch(
        { shard: ROOT_SHARD, height: header.height },
        'entries',
        `it lists block ${height} of shard ${shard}, which is not there`,
      )
    const items = splitOut(block.outgoing)
    const place = { shard, height }
    mustEqual(place, 'outRoot', decodeHeader(block.header).outRoot, listRoot(items))
    return { header: place, outgoing: Uint8Array.from(block.outgoing), outIndex: indexOut(items) }
  })
}
