import { decodeHeader, decodeMessage } from '../../../protocol/index.ts'
import { RootView } from '../root/root-view.ts'
import { Holdings } from '../state/holdings.ts'
import { Trie } from '../state/trie.ts'
import { tipAfter } from './chain-tip.ts'
import { EMPTY_BODY } from './child-state.ts'
import type { RecoveredShard } from './recovery.ts'
import type { ShardSeed } from './shard-seed.ts'
import type { ShardSpace } from './shard-space.ts'

/** A shard's state as its parent handed it over: what `recover` would read from the database. */
export function openSeed({ prefix }: ShardSpace, seed: ShardSeed): RecoveredShard {
  return {
    tip: tipAfter(decodeHeader(seed.header), { hash: seed.hash, bodyBytes: EMPTY_BODY.length, totals: seed.totals }),
    header: seed.header,
    trie: Trie.of(seed.trie),
    holdings: new Holdings(prefix.length, seed.holdings),
    waiting: seed.waiting.map(({ key, message }) => ({ key, encoded: message, message: decodeMessage(message) })),
    random: seed.random,
    view: RootView.EMPTY.with(seed.exports),
    // The parent wrote all of its cells before it ended.
    unfolded: new Map(),
  }
}
