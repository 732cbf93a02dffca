import { Trie } from '../state/trie.ts'
import type { DeferredMessage } from './inbox.ts'
import { deferredLeaf } from './seal.ts'

/** The trie over messages that wait, in whatever order they come. `depth`: the length of the shard's prefix. */
export function deferredTrie(waiting: readonly DeferredMessage[], depth: number): Trie {
  const trie = new Trie({ keyBytes: 40, depth })
  const leaves = waiting.map(({ key, encoded }) => deferredLeaf(key, encoded))
  trie.update(leaves.sort((a, b) => Buffer.compare(a.key, b.key)))
  return trie
}
