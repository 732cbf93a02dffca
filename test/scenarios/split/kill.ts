import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { runNode, until } from '../../../server/testing/program.ts'
import { thenClose } from '../first-error.ts'
import { auditAll, findAcknowledged, readGenesis } from '../node/audit.ts'
import { killSomehow, noKills } from '../node/kill-somehow.ts'
import { CONFIG, type NodeUnderTest } from '../node/node-under-test.ts'
import { MAIN } from '../node/process-under-test.ts'
import { type Stage, withNode } from '../node/with-node.ts'
import type { Figures, Run, Scenario } from '../scenario.ts'
import { auditFamily, shardsOf } from './family.ts'
import { auditLanes } from './lanes.ts'
import { Operator } from './operator.ts'

const GENESIS = ['0:0', '0:1']
/** What is split of one network, in this order: eight shards are left. */
const SPLITS = ['0:0', '0:1', '0:00', '0:11', '0:01', '0:10']
const SETTLE_MS = 120_000
const WITHIN_MS = 120_000
/** A kill comes so many milliseconds after the moment that it is meant for, at most. */
const MOST_LATE_MS = 800

/** Moments of a split. Each is waited for, and then some, before the node is killed. */
const MOMENTS: readonly { readonly name: string; isOver(shard: string, of: Moment): Promise<boolean> }[] = [
  { name: 'submitted', isOver: async () => true },
  { name: 'executed', isOver: async (_shard, { isExecuted }) => isExecuted() },
  { name: 'split', isOver: async (shard, { url }) => (await shardsOf(url))?.get(shard)?.status === 'SPLIT' },
  { name: 'begun', isOver: async (shard, { url }) => areRunning(url, shard) },
]

interface Moment {
  readonly url: string
  isExecuted(): boolean
}

/** A node is killed while its shards are split one after the other, and its clients pay on. */
export const splitKill: Scenario = {
  name: 'execution/split-kill',
  claim:
    'a node that is killed by kill -9 at any moment of any split ends with the same shards, and loses and repeats nothing',
  unit: 'splits',
  counts: { full: 36, reduced: 1 },
  async run(run) {
    const sum: Record<string, number> = {}
    for (let done = 0; done < run.count; done += SPLITS.length) {
      const splits = SPLITS.slice(0, run.count - done)
      const figures = await withNode(run.random, (stage) => family(stage, splits, done, run))
      for (const [name, value] of Object.entries(figures)) sum[name] = (sum[name] ?? 0) + Number(value)
    }
    return { splits: run.count, ...sum }
  },
}

/** One network, from its two shards to the last split. */
async function family(
  stage: Stage,
  splits: readonly string[],
  before: number,
  { random, isFull, count, progress }: Run,
): Promise<Figures> {
  const { node, book, load } = stage
  const operator = await Operator.of(node.dataDir, (await readGenesis(node.url)).id)
  const ways = noKills()
  for (const [round, shard] of splits.entries()) {
    const moment = MOMENTS[random.below(MOMENTS.length)] ?? MOMENTS[0]
    assert.ok(moment !== undefined)
    load.start(node.url)
    await sleep(random.between(50, isFull ? 1_000 : 200))
    const over = new AbortController()
    let isExecuted = false
    const splitting = operator
      .split(shard, () => node.url, over.signal)
      .then(() => {
        isExecuted = true
      })
    const killed = async (): Promise<void> => {
      const isOver = () => moment.isOver(shard, { url: node.url, isExecuted: () => isExecuted })
      await Promise.race([
        until(isOver, `${shard} is ${moment.name}`, WITHIN_MS),
        // It fails the run if the split is refused; else the moment is waited for.
        splitting.then(() => new Promise<never>(() => undefined)),
      ])
      const late = random.between(0, MOST_LATE_MS)
      await sleep(late)
      ways[await killSomehow(node, random)]++
      progress(`${before + round + 1} of ${count}: ${shard} killed ${late} ms after it was ${moment.name}`)
      await load.stop()
      await node.start()
      await splitting
    }
    await thenClose(killed, async () => {
      over.abort(new Error('the run is over'))
      await splitting.catch(() => undefined)
    })
    await findAcknowledged(node.url, book)
    await until(() => areRunning(node.url, shard), `the halves of ${shard} run`, WITHIN_MS)
    await load.settle(node.url, SETTLE_MS)
    await auditAll(node.url, book)
    await auditFamily(node.url, GENESIS, splits.slice(0, round + 1))
  }
  await auditLanes(node.url, book)
  await verify(node)
  await node.stop()
  return { ...ways, payments: book.size, 'repeated submissions': load.duplicates }
}

async function areRunning(url: string, shard: string): Promise<boolean> {
  const shards = await shardsOf(url)
  return ['0', '1'].every((bit) => shards?.get(shard + bit)?.status === 'RUNNING')
}

/** `deaios verify` executes all of it again, while the node runs. */
async function verify(node: NodeUnderTest): Promise<void> {
  const program = runNode([MAIN, 'verify', '--data', node.dataDir, '--config', CONFIG], {
    env: { PATH: process.env.PATH },
  })
  assert.deepEqual(await program.ended, { code: 0, signal: null }, program.output.err)
}
