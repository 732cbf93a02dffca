import { type Health, pause } from '../../../server/plugin.ts'
import type { Ledger, ShardState } from '../api.ts'
import type { Chain } from '../chain.ts'

/** What every node knows of the ledger by heart. */
export interface Snapshot {
  /** Of the leader that tells it: it grows with each. */
  readonly fence: bigint
  readonly rootHeight: number
  readonly randomness: ReturnType<Ledger['randomness']>
  readonly shards: readonly ShardState[]
  readonly supply: ReturnType<Ledger['supplyCheck']>
  readonly health: Health
}

/** How far what a follower knows may be behind, in milliseconds, plus the way. */
const EVERY_MS = 50

const snapshotOf = (chain: Chain): Snapshot => ({
  fence: chain.fence,
  rootHeight: chain.rootHeight(),
  randomness: chain.randomness(),
  shards: chain.shards(),
  supply: chain.supplyCheck(),
  health: chain.health(),
})

/** Tells how the ledger looks, at once and after each change. */
export async function* snapshotsOf(chain: Chain, signal: AbortSignal): AsyncGenerator<Snapshot, void> {
  let last = ''
  while (!signal.aborted) {
    const snapshot = snapshotOf(chain)
    const mark = markOf(snapshot)
    if (mark !== last) yield snapshot
    last = mark
    await pause(EVERY_MS, signal)
  }
}

/** Differs when two snapshots do. */
const markOf = ({ rootHeight, shards, health }: Snapshot): string =>
  [
    rootHeight,
    health.message ?? health.ok,
    ...shards.map(({ id, height, status, load, mempool }) => `${id} ${height} ${status} ${load} ${mempool.size}`),
  ].join()
