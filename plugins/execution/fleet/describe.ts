import type { ShardState } from '../api.ts'
import type { EndedShard, RunningShard } from './running-shard.ts'

/** How long a shard may take to begin before somebody should look. */
const BEGINS_WITHIN_MS = 10_000

/** A shard's state, but for what its blocks cost. */
export type Described = Omit<ShardState, 'basePrice' | 'congestion'>

/** Shards as others see them, by realm, then prefix: one that was split stands before its children. */
export function describe(running: readonly RunningShard[], ended: readonly EndedShard[]): Described[] {
  const idle = { status: 'SPLIT' as const, load: 0, mempool: { size: 0, bytes: 0 } }
  return [...running, ...ended.map((shard) => ({ ...shard, ...idle }))]
    .map(({ space: { id, realm, prefix }, parent, status, height, stateRoot, load, mempool }) => {
      return { id, realm, prefix, parent, status, height: Math.max(height, 0), stateRoot, load, mempool }
    })
    .sort((a, b) => a.realm - b.realm || (a.prefix < b.prefix ? -1 : 1))
}

/**
 * Which do not run and should, or whose events are held up, in words; undefined if there are none. One that begins may
 * take a moment. It is `ok` as long as only shard hosts are away: the node itself can serve, and nothing that is done to
 * it brings those back.
 */
export function troubleOf(
  shards: readonly RunningShard[],
): { readonly ok: boolean; readonly message: string } | undefined {
  const now = performance.now()
  const down = shards.filter(({ status, since }) => {
    if (status === 'RUNNING' || status === 'SPLIT') return false
    return status !== 'STARTING' || now - since > BEGINS_WITHIN_MS
  })
  const silent = shards.filter(({ status, host }) => status === 'RUNNING' && host.eventTrouble !== undefined)
  if (down.length + silent.length === 0) return undefined
  const words = down.map(({ space, host, status, problem }) => {
    const where = host.isElsewhere ? ' on its shard host' : ''
    return `shard ${space.id} is ${status.toLowerCase()}${where}${problem === undefined ? '' : `: ${problem}`}`
  })
  for (const { space, host } of silent) words.push(`the events of shard ${space.id} wait (${host.eventTrouble})`)
  return { ok: down.every(({ host }) => host.isElsewhere), message: words.join(', ') }
}
