import { equal } from '../../../protocol/index.ts'
import type { Network } from '../genesis.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { type RoutedRoot, sourcesFor } from '../root/feeder.ts'
import type { RootBlock } from '../root/orderer.ts'
import type { MadeBlock } from '../shard/made-block.ts'
import { ReplayMismatch } from './mismatch.ts'
import { ReplayedRoot } from './replayed-root.ts'
import { ReplayedShard, type StoredBlock } from './replayed-shard.ts'
import type { StoredChain } from './stored-chain.ts'

export interface ReplayOptions {
  readonly network: Network
  /** All versions of the modules that the network used so far. */
  readonly modules: readonly LedgerModule[]
  readonly chain: StoredChain
  readonly signal?: AbortSignal
  /** Told after each root block. */
  readonly onProgress?: (progress: ReplayReport) => void
  /** Told of each shard block as executing it again gives it. */
  readonly onBlock?: (block: MadeBlock) => void
}

/** How far a replay got. */
export interface ReplayReport {
  readonly rootHeight: number
  readonly blocks: number
  readonly transactions: number
}

/**
 * Executes a whole chain again, from the genesis document alone, and compares everything that is stored with what comes
 * out: headers with all their roots, receipts, messages, cells; root blocks with their randomness and votes; the supply.
 * @throws ReplayMismatch naming the first difference
 */
export async function replayChain(options: ReplayOptions): Promise<ReplayReport> {
  const { network, chain, onProgress, onBlock, signal } = options
  const rules = { library: new ModuleLibrary(options.modules), params: network.params }
  const root = new ReplayedRoot(network, rules.library)
  const shards = new Map(network.genesis.shards.map((id) => [id, ReplayedShard.atGenesis(id, network, rules)]))
  let blocks = 0
  const report = (): ReplayReport => ({
    rootHeight: root.height,
    blocks,
    transactions: [...shards.values()].reduce((sum, shard) => sum + shard.transactions, 0),
  })

  for await (const stored of chain.roots(0)) {
    signal?.throwIfAborted()
    const block = await root.check(stored)
    const made = block.header.height === 0 ? checkFirst(shards, block) : await replayListed(shards, root, chain, block)
    blocks += made.length
    for (const one of made) onBlock?.(one)
    release(shards, root.route(made))
    onProgress?.(report())
  }
  for (const shard of shards.values()) {
    for (const stored of await chain.after(shard.space.id, shard.height)) {
      const made = await shard.replay(stored, root)
      blocks++
      onBlock?.(made)
    }
  }
  checkSupply(network, root, shards)
  return report()
}

type Shards = ReadonlyMap<string, ReplayedShard>

/** Root block 0 lists the first block of each shard, which genesis alone decides. */
function checkFirst(shards: Shards, { entries }: RootBlock): MadeBlock[] {
  const place = { shard: 'root', height: 0 }
  for (const [id, shard] of shards) {
    const entry = entries.find((listed) => listed.shard === id)
    if (entry === undefined || entry.height !== 0 || !equal(entry.hash, shard.hash))
      throw new ReplayMismatch(place, 'entries', `it does not list the first block of shard ${id} that genesis gives`)
  }
  return []
}

async function replayListed(
  shards: Shards,
  root: ReplayedRoot,
  chain: StoredChain,
  { header, entries }: RootBlock,
): Promise<MadeBlock[]> {
  const place = { shard: 'root', height: header.height }
  const stored = await chain.blocks(entries)
  const made: MadeBlock[] = []
  for (const [i, entry] of entries.entries()) {
    const block: StoredBlock | undefined = stored[i]
    const shard = shards.get(entry.shard)
    if (block === undefined || shard === undefined)
      throw new ReplayMismatch(
        place,
        'entries',
        `it lists block ${entry.height} of shard ${entry.shard}, which is not there`,
      )
    if (!equal(block.hash, entry.hash))
      throw new ReplayMismatch(place, 'entries', `it lists another block ${entry.height} of shard ${entry.shard}`)
    made.push(await shard.replay(block, root))
  }
  return made
}

/** Hands on what a root block brings. */
function release(shards: Shards, routed: RoutedRoot): void {
  const { height, exports, random } = routed
  if (height === 0) return
  for (const shard of shards.values())
    shard.deliver({ height, exports, random, sources: sourcesFor(routed, shard.space) })
}

/** What all shards hold, and what is on its way between them, is what genesis made. */
function checkSupply(network: Network, root: ReplayedRoot, shards: Shards): void {
  let total = 0n
  for (const { totals } of [root, ...shards.values()])
    if (totals !== undefined) total += totals.holdings + totals.emitted - totals.consumed
  if (total === network.supply) return
  const height = Math.max(...[...shards.values()].map((shard) => shard.height))
  throw new ReplayMismatch(
    { shard: 'root', height },
    'supply',
    `all coins add up to ${total}, not to ${network.supply}`,
  )
}
