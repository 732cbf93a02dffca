import {
  type BlockHeader,
  bitAt,
  childHeader,
  decodeHeader,
  encodeBody,
  encodeHeader,
  firstHeader,
  headerHash,
} from '../../../protocol/index.ts'
import type { RootMoment } from '../root/root-moment.ts'
import type { RootView } from '../root/root-view.ts'
import { type Holdings, sum } from '../state/holdings.ts'
import type { Trie, TrieState } from '../state/trie.ts'
import { type ChainTip, tipAfter } from './chain-tip.ts'
import { deferredTrie } from './deferred-trie.ts'
import type { DeferredMessage } from './inbox.ts'
import type { Totals } from './made-block.ts'
import type { ShardSpace } from './shard-space.ts'
import { SupplyError } from './supply-error.ts'

/** A block that runs nothing has an empty body. */
export const EMPTY_BODY: Uint8Array = encodeBody([])

/** What a shard leaves at its end. */
export interface Estate {
  readonly tip: ChainTip
  /** Header bytes of its last block. */
  readonly header: Uint8Array
  readonly trie: Trie
  readonly holdings: Holdings
  readonly waiting: readonly DeferredMessage[]
  /** Of the root block that its last block has taken in: its randomness, and what the root chain exports. */
  readonly random: Uint8Array
  readonly view: RootView
}

/** The first block of a shard. */
export interface FirstBlock {
  readonly header: BlockHeader
  readonly headerBytes: Uint8Array
  readonly hash: Uint8Array
  readonly totals: Totals
}

/** A shard that was split off, with its first block. */
export interface ChildState extends FirstBlock {
  readonly trie: TrieState
  readonly holdings: readonly bigint[]
  readonly waiting: readonly DeferredMessage[]
}

/**
 * What both children of a shard begin with: each has the cells and the deferred messages of its half. The left one goes
 * on counting what the shard sent and took in, so that the sum over all shards is what it was.
 * @throws SupplyError if the halves do not hold what the shard held
 */
export function childrenOf(estate: Estate): readonly [ChildState, ChildState] {
  const { tip, trie } = estate
  const parent = decodeHeader(estate.header)
  const depth = trie.depth
  const tries = trie.split()
  const holdings = estate.holdings.halves()
  const child = (bit: 0 | 1): ChildState => {
    const waiting = estate.waiting.filter(({ key }) => bitAt(key, depth) === bit)
    const deferred = deferredTrie(waiting, depth + 1)
    const roots = { cellsRoot: tries[bit].rootHash, deferredRoot: deferred.root }
    const header = childHeader(parent, bit, roots)
    const headerBytes = encodeHeader(header)
    const { emitted, consumed } = bit === 0 ? tip.totals : { emitted: 0n, consumed: 0n }
    const totals = {
      holdings: sum([...holdings[bit], ...waiting.map(({ message }) => message.value)]),
      emitted,
      consumed,
    }
    return {
      header,
      headerBytes,
      hash: headerHash(headerBytes),
      totals,
      trie: tries[bit],
      holdings: holdings[bit],
      waiting,
    }
  }
  const children = [child(0), child(1)] as const
  const held = children[0].totals.holdings + children[1].totals.holdings
  if (held !== tip.totals.holdings) {
    throw new SupplyError(`the halves of ${parent.shard} would hold ${held}, the shard holds ${tip.totals.holdings}`)
  }
  return children
}

/** The first block of a shard that was split off from none: nothing is in it, and it goes on from a root block. */
export function firstBlock(
  { id }: ShardSpace,
  root: RootMoment,
  { basePrice }: { readonly basePrice: bigint },
): FirstBlock {
  const header = firstHeader(id, { rootCursor: root.height, basePrice, time: root.time })
  const headerBytes = encodeHeader(header)
  return { header, headerBytes, hash: headerHash(headerBytes), totals: { holdings: 0n, emitted: 0n, consumed: 0n } }
}

/** Where a child stands after its first block. */
export const childTip = ({ header, hash, totals }: ChildState): ChainTip =>
  tipAfter(header, { hash, bodyBytes: EMPTY_BODY.length, totals })
