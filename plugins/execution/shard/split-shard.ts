import { decodeHeader, equal, type SplitProof, sha256, type TrieEntry, valueHash } from '../../../protocol/index.ts'
import { FencedError, isFenced, pause } from '../../../server/plugin.ts'
import type { BirthStore } from './birth-store.ts'
import type { BlockStore } from './block-store.ts'
import { type ChildState, childrenOf, type Estate } from './child-state.ts'
import { isRefusedByData } from './commit.ts'
import type { ShardSeed } from './shard-seed.ts'

const RETRY_MS = 100

export interface SplitParts {
  readonly store: BlockStore
  readonly births: Pick<BirthStore, 'split' | 'isSplit'>
  /** Writes all changed cells to the cell table; false if that did not succeed. */
  readonly foldAll: () => Promise<boolean>
  readonly onStall: (error: unknown) => void
  readonly isStopping: () => boolean
}

/**
 * Ends a shard whose last block is durable: its cell table is complete, then its children are born. Each step may be
 * taken again after a crash. Resolves with the children, or undefined if the shard is told to stop meanwhile.
 * @throws FencedError; SupplyError; the database's error if it refuses the data
 */
export async function splitShard(
  estate: Estate,
  parts: SplitParts,
): Promise<readonly [ChildState, ChildState] | undefined> {
  const children = childrenOf(estate)
  while (!parts.isStopping()) {
    try {
      if (await parts.foldAll()) {
        await parts.births.split(children, await proofOf(estate, children, parts.store))
        return children
      }
    } catch (error) {
      if (isFenced(error)) {
        const { shard } = decodeHeader(estate.header)
        throw new FencedError(`another node leads: shard ${shard} is not split`, { cause: error })
      }
      // The answer to an earlier attempt may have been lost: what stands there follows from the last block alone.
      if (await isDone(parts.births)) return children
      if (isRefusedByData(error)) throw error
      parts.onStall(error)
    }
    await pause(RETRY_MS)
  }
  return undefined
}

async function isDone(births: Pick<BirthStore, 'isSplit'>): Promise<boolean> {
  try {
    return await births.isSplit()
  } catch (error) {
    if (isRefusedByData(error)) throw error
    return false
  }
}

/** That the split is one: a lone leaf is opened. */
async function proofOf(
  { trie, waiting, header }: Estate,
  children: readonly [ChildState, ChildState],
  store: BlockStore,
): Promise<SplitProof> {
  const cell = trie.onlyLeaf === undefined ? undefined : await openedCell(trie.onlyLeaf.key, store)
  const [only] = waiting
  const deferred = waiting.length === 1 && only && { key: only.key, valueHash: sha256(only.encoded) }
  return {
    parent: header,
    children: [children[0].headerBytes, children[1].headerBytes],
    ...(cell && { cell }),
    ...(deferred && { deferred }),
  }
}

async function openedCell(path: Uint8Array, store: BlockStore): Promise<TrieEntry> {
  const row = (await store.records([path])).find((found) => equal(found.path, path))
  if (row === undefined) throw new TypeError('the only cell of the shard is not in its table')
  return { key: path, valueHash: valueHash(row.record) }
}

/** What a child needs to go on without reading its cells. */
export const seedOf = (
  { headerBytes, hash, totals, trie, holdings, waiting }: ChildState,
  { random, view }: Estate,
): ShardSeed => ({
  header: headerBytes,
  hash,
  totals,
  trie,
  holdings,
  waiting: waiting.map(({ key, encoded }) => ({ key, message: encoded })),
  random,
  exports: view.entries(),
})
