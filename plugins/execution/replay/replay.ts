import { equal } from '../../../protocol/index.ts'
import type { Network } from '../genesis.ts'
import type { LedgerModule } from '../ledger/module.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import type { RootBlock } from '../root/orderer.ts'
import type { MadeBlock } from '../shard/made-block.ts'
import { ReplayMismatch } from './mismatch.ts'
import { ReplayedRoot } from './replayed-root.ts'
import type { StoredBlock } from './replayed-shard.ts'
import { ReplayedShards } from './replayed-shards.ts'
import { type ReplayStart, shardsAt } from './start.ts'
import type { StoredChain } from './stored-chain.ts'

export interface ReplayOptions {
  readonly network: Network
  /** All versions of the modules that the network used so far. */
  readonly modules: readonly LedgerModule[]
  readonly chain: StoredChain
  /** The state to begin with, which is only compared with what is committed; that of genesis if absent. */
  readonly start?: ReplayStart
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
  /** Root height of the state that it began with: what came before was not executed. */
  readonly from: number
}

/**
 * Executes a whole chain again, from the genesis document alone or from a state in between, and compares everything that
 * is stored with what comes out: headers with all their roots, receipts, messages, cells; root blocks with their randomness and votes; the supply.
 * @throws ReplayMismatch naming the first difference
 */
export async function replayChain(options: ReplayOptions): Promise<ReplayReport> {
  const { network, chain, start, onProgress, onBlock, signal } = options
  const rules = { library: new ModuleLibrary(options.modules), params: network.params }
  const root = new ReplayedRoot(network, rules.library)
  let blocks = 0
  const reportOn = (transactions: number): ReplayReport => ({
    rootHeight: root.height,
    blocks,
    transactions,
    from: start?.height ?? 0,
  })
  const shards =
    start === undefined
      ? ReplayedShards.atGenesis(network, rules)
      : await shardsAt(start, { root, chain, rules, signal, onFollowed: () => onProgress?.(reportOn(0)) })
  const report = (): ReplayReport => reportOn(shards.transactions)

  for await (const stored of chain.roots(root.height + 1)) {
    signal?.throwIfAborted()
    const block = await root.check(stored)
    const made = await replayListed(shards, root, chain, block)
    blocks += made.length
    for (const one of made) onBlock?.(one)
    shards.release(root.route(made))
    onProgress?.(report())
  }
  for await (const made of replayUnlisted(shards, root, chain)) {
    blocks++
    onBlock?.(made)
  }
  checkSupply(network, root, shards)
  return report()
}

async function replayListed(
  shards: ReplayedShards,
  root: ReplayedRoot,
  chain: StoredChain,
  block: RootBlock,
): Promise<MadeBlock[]> {
  const { header, entries } = block
  if (header.height === 0) {
    shards.checkFirst(block)
    return []
  }
  const place = { shard: 'root', height: header.height }
  const stored = await chain.blocks(entries)
  // What a root block brings, only blocks can have taken in that a later one lists.
  const past = { height: header.height - 1, at: (height: number) => root.at(height) }
  const made: MadeBlock[] = []
  for (const [i, entry] of entries.entries()) {
    const found: StoredBlock | undefined = stored[i]
    if (found === undefined)
      throw new ReplayMismatch(
        place,
        'entries',
        `it lists block ${entry.height} of shard ${entry.shard}, which is not there`,
      )
    if (!equal(found.hash, entry.hash))
      throw new ReplayMismatch(place, 'entries', `it lists another block ${entry.height} of shard ${entry.shard}`)
    const again = await shards.replay(found, past)
    if (again === undefined) continue
    if (again.header.time > header.time)
      throw new ReplayMismatch(
        place,
        'time',
        `its time ${header.time} is before that of block ${entry.height} of shard ${entry.shard}, which it lists`,
      )
    made.push(again)
  }
  return made
}

/** The blocks that no root block lists yet; those of shards that are split meanwhile before those of their children. */
async function* replayUnlisted(
  shards: ReplayedShards,
  root: ReplayedRoot,
  chain: StoredChain,
): AsyncGenerator<MadeBlock> {
  const known = new Set<string>()
  for (;;) {
    const shard = shards.living.find(({ space }) => !known.has(space.id))
    if (shard === undefined) return
    known.add(shard.space.id)
    // The first block of a shard is there before it is listed.
    for (const stored of await chain.after(shard.space.id, shard.isListed ? shard.height : shard.height - 1)) {
      const made = await shards.replay(stored, root)
      if (made !== undefined) yield made
    }
  }
}

/** What all shards hold, and what is on its way between them, is what genesis made. */
function checkSupply(network: Network, root: ReplayedRoot, { living }: ReplayedShards): void {
  let total = 0n
  for (const { totals } of [root, ...living])
    if (totals !== undefined) total += totals.holdings + totals.emitted - totals.consumed
  if (total === network.supply) return
  const height = Math.max(...living.map((shard) => shard.height))
  throw new ReplayMismatch(
    { shard: 'root', height },
    'supply',
    `all coins add up to ${total}, not to ${network.supply}`,
  )
}
