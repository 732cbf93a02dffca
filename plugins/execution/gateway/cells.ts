import type { CellState } from '../api.ts'
import type { ShardHost } from '../shard/shard-host.ts'

/**
 * Committed cells, in the order of the ids; null where there is none. Each shard is asked once.
 * @param hostOf the shard that a cell lives in, if there is one
 */
export async function readCells(
  ids: readonly Uint8Array[],
  hostOf: (id: Uint8Array) => ShardHost | undefined,
): Promise<readonly (CellState | null)[]> {
  const found: (CellState | null)[] = ids.map(() => null)
  const groups = new Map<ShardHost, number[]>()
  ids.forEach((id, i) => {
    const host = hostOf(id)
    if (host === undefined) return
    const group = groups.get(host)
    if (group === undefined) groups.set(host, [i])
    else group.push(i)
  })
  await Promise.all(
    [...groups].map(async ([host, places]) => {
      const cells = await host.ask({ kind: 'cells', ids: places.map((i) => ids[i]!) })
      places.forEach((place, i) => {
        found[place] = cells[i] ?? null
      })
    }),
  )
  return found
}
