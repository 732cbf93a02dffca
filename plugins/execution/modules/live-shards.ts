import { CallError } from '../ledger/errors.ts'
import type { RootContext } from '../ledger/root-context.ts'
import type { RootView } from '../root/root-view.ts'

/** Shards that nobody splits: those that there are, once all splits under way are done. */
function liveShards(view: RootView): number {
  let live = 0
  for (const { until } of view.shards.values()) if (until === null) live++
  return live
}

/** @throws CallError TOO_MANY_SHARDS if the network may not have so many more */
export function mustHaveRoom(ctx: RootContext, more: number): void {
  const live = liveShards(ctx.exported)
  if (live + more > ctx.rules.maxShards)
    throw new CallError(
      'TOO_MANY_SHARDS',
      `there are ${live} shards, and the network has at most ${ctx.rules.maxShards}`,
    )
}
