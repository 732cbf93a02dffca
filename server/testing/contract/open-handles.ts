import { setTimeout as sleep } from 'node:timers/promises'

/** How long what was closed may take to be gone, in milliseconds. */
const SETTLING_MS = 6_000

/** How many of each kind of resource keep this process alive: timers, sockets, threads, watchers. */
export function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** What is open beyond what was open before, once the loop has settled; empty if nothing is. */
export async function leftOpen(before: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const deadline = performance.now() + SETTLING_MS
  for (;;) {
    const more = [...openHandles()].flatMap(([kind, count]) => {
      const extra = count - (before.get(kind) ?? 0)
      return extra > 0 ? [`${extra} ${kind}`] : []
    })
    if (more.length === 0 || performance.now() > deadline) return more
    await sleep(20)
  }
}
