import { type BlockHeader, equal, ROOT_SHARD, ZERO_HASH } from '../../../protocol/index.ts'
import type { StoredLedger } from '../hosting/read-ledger.ts'
import { decodeEntries } from '../root/root-store.ts'
import type { RootView } from '../root/root-view.ts'
import { type Arrival, arrivalsOf, type DeferredMessage, deferred } from '../shard/inbox.ts'
import { indexOut, itemsFor, splitOut } from '../shard/out-index.ts'
import { deferredLeaf } from '../shard/seal.ts'
import { type ShardSpace, shardSpace } from '../shard/shard-space.ts'
import { Trie } from '../state/trie.ts'
import { SnapshotError } from './errors.ts'
import { importedShard } from './imported-state.ts'
import { type StoredRootRow, sentBlocks, storedRoots } from './stored-roots.ts'

/** Root blocks read at a time. */
const STEP = 100

/**
 * The messages that wait in a shard after a block, oldest first. They run in the order in which they arrived, so those
 * that wait are the last ones: as many of them, going back, as make the deferredRoot of the header.
 * @param view what the root chain exports at a height not below the block's cursor
 * @throws SnapshotError FALSE_STATE if none make it
 */
export async function waitingMessages(
  ledger: StoredLedger,
  header: BlockHeader,
  view: RootView,
): Promise<readonly DeferredMessage[]> {
  if (equal(header.deferredRoot, ZERO_HASH)) return []
  const space = shardSpace(header.shard)
  const trie = new Trie({ keyBytes: 40, depth: space.prefix.length })
  const waiting: DeferredMessage[] = []
  for await (const message of backwards(ledger, header, view)) {
    // What went to the other half before the shard was split off has a number, too.
    if (!space.contains(message.key)) continue
    waiting.push(message)
    trie.update([deferredLeaf(message.key, message.encoded)])
    if (equal(trie.root, header.deferredRoot)) return waiting.reverse()
  }
  throw new SnapshotError(
    'FALSE_STATE',
    `no messages to shard ${header.shard} make the deferredRoot of its block ${header.height}`,
  )
}

/** All messages that the shard, and those that it was split off from, took in: the last one first. */
async function* backwards(ledger: StoredLedger, header: BlockHeader, view: RootView): AsyncIterable<DeferredMessage> {
  const brought = await importedShard(ledger.main, header.shard)
  let number = header.arrivals
  for await (const arrival of arrivedBackwards(ledger, header, view, brought?.cursor ?? 0)) {
    number--
    yield deferred({ ...arrival, arrival: number })
  }
  // Of what came before, a snapshot has only what waited then.
  if (brought !== undefined) yield* brought.waiting.toReversed()
}

/** Those that root blocks behind a height brought. */
async function* arrivedBackwards(
  ledger: StoredLedger,
  header: BlockHeader,
  view: RootView,
  after: number,
): AsyncIterable<Omit<Arrival, 'arrival'>> {
  for (let to = header.rootCursor; to > after; to -= STEP) {
    // The one before the first: what it sent itself is delivered with the first.
    const rows = await Array.fromAsync(storedRoots(ledger.main, Math.max(after, to - STEP), to))
    for (let i = rows.length - 1; i > 0; i--) {
      const [root, before] = [rows[i], rows[i - 1]]
      if (root === undefined || before === undefined) continue
      const space = spaceAt(header.shard, view, root.height)
      yield* (await arrivals(ledger, root, before, space)).reverse()
    }
  }
}

async function arrivals(
  ledger: StoredLedger,
  root: StoredRootRow,
  before: StoredRootRow,
  space: ShardSpace,
): Promise<Arrival[]> {
  const entries = decodeEntries(root.entries)
  const sent = entries.length === 0 ? [] : await sentBlocks(ledger, entries)
  const outgoing = [
    ...entries.map(({ shard, height }, i) => ({ shard, height, bytes: sent[i]?.outgoing ?? NOTHING })),
    { shard: ROOT_SHARD, height: before.height, bytes: before.outgoing },
  ]
  const sources = outgoing.map(({ shard, height, bytes }) => ({
    shard,
    height,
    items: itemsFor(bytes, indexOut(splitOut(bytes)), space),
  }))
  return arrivalsOf({ sources }, 0)
}

/** The shard, or the one that it was then a part of. */
function spaceAt(id: string, view: RootView, rootHeight: number): ShardSpace {
  let now = id
  for (;;) {
    const entry = view.shards.get(now)
    if (entry === undefined || entry.parent === null || rootHeight > entry.from) return shardSpace(now)
    now = entry.parent
  }
}

const NOTHING = new Uint8Array(0)
