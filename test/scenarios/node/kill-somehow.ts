import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../random.ts'
import type { NodeUnderTest } from './node-under-test.ts'
import { signalAll } from './postgres-processes.ts'

/** How a node was killed. */
export type Way = 'kills of the node alone' | 'kills with its Postgres' | 'kills during the start'

/** kill -9 of a running node: one of four takes its Postgres along, and one of four hits it once more as it starts. */
export async function killSomehow(node: NodeUnderTest, random: Random): Promise<Way> {
  const way = random.below(4)
  if (way === 0) {
    // As when the machine loses its power, except for what the disk itself would lose.
    signalAll(node.postgres(), 'SIGKILL')
    await node.kill()
    return 'kills with its Postgres'
  }
  await node.kill()
  if (way !== 1) return 'kills of the node alone'
  node.launch()
  await sleep(random.between(50, 1500))
  await node.kill()
  return 'kills during the start'
}

/** How often a node was killed in which way: none so far. */
export const noKills = (): Record<Way, number> => ({
  'kills of the node alone': 0,
  'kills with its Postgres': 0,
  'kills during the start': 0,
})
