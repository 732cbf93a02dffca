import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../../server/testing/program.ts'
import { thenClose, withLastWords } from '../first-error.ts'
import { auditAll, findAcknowledged, readGenesis } from '../node/audit.ts'
import { Book } from '../node/book.ts'
import { Load } from '../node/load.ts'
import { NodeUnderTest } from '../node/node-under-test.ts'
import type { Figures, Run, Scenario } from '../scenario.ts'
import { Follower } from '../streams/follower.ts'
import { auditBlockEvents } from './block-events.ts'
import { auditByCommands } from './commands.ts'
import { HOSTED_CONFIG, ShardHostUnderTest } from './shard-host-under-test.ts'

const SETTLE_MS = 120_000
const GO_ON_WITHIN_MS = 120_000
/** Payments acknowledged after a fault that count as going on: more than one shard alone could have taken. */
const GOING_ON = 50
/** What one shard alone must still take. */
const GOING_ON_ALONE = 20

interface Stage {
  readonly host: ShardHostUnderTest
  readonly node: NodeUnderTest
  readonly load: Load
  readonly book: Book
  readonly isFull: boolean
}

/** Does something bad, and brings back what does not come back by itself. */
type Fault = (stage: Stage) => Promise<void>

const FAULTS: Readonly<Record<string, Fault>> = {
  'host killed': async ({ host, isFull }) => {
    await host.kill()
    await sleep(isFull ? 3_000 : 300)
    await host.start()
  },
  'connection cut': async ({ host }) => host.cut(),
  'node killed': async ({ node, load }) => {
    await node.kill()
    await load.stop()
    await node.start()
    load.start(node.url)
  },
  'its database killed': async ({ host }) => host.killPostgres(),
  'its database frozen': async ({ host, load, book, isFull }) => {
    host.freezePostgres()
    await sleep(1_000)
    // Who pays within the other shard notices nothing.
    const before = book.acknowledged
    await until(() => book.acknowledged >= before + GOING_ON_ALONE, 'the other shard goes on', GO_ON_WITHIN_MS)
    await sleep(isFull ? 8_000 : 0)
    host.thawPostgres()
    assert.ok(load.open > 0, 'who pays from the frozen shard waits')
  },
  'host frozen': async ({ host, isFull }) => {
    host.freeze()
    await sleep(isFull ? 9_000 : 1_000)
    host.thaw()
  },
  'both killed': async ({ host, node, load }) => {
    await Promise.all([host.kill(), node.kill()])
    await load.stop()
    // The node comes first, and finds nobody.
    await node.start()
    load.start(node.url)
    await host.start()
  },
}

/** One shard in a thread of the node, one on a shard host with its own database; faults of either under load. */
export const hosts: Scenario = {
  name: 'execution/hosts',
  claim:
    'a network with a shard on a shard host goes on by itself after any fault of it, and loses and repeats nothing',
  unit: 'faults',
  counts: { full: 30, reduced: 2 },
  run: async (run) => {
    const host = new ShardHostUnderTest()
    const node = new NodeUnderTest(undefined, HOSTED_CONFIG, () => ({ SHARD_HOST: host.told }))
    const onBoth = async (): Promise<Figures> => {
      await host.start()
      await node.start()
      return play(host, node, run)
    }
    return thenClose(
      () => withLastWords({ node, host }, onBoth),
      () => Promise.all([node.remove(), host.remove()]),
    )
  },
}

async function play(
  host: ShardHostUnderTest,
  node: NodeUnderTest,
  { count, isFull, random, progress }: Run,
): Promise<Figures> {
  const book = new Book((await readGenesis(node.url)).id)
  const load = new Load(book, random)
  load.start(node.url)
  const follower = await Follower.of(node.url)
  await load.stop()
  const names = Object.keys(FAULTS)
  const faults = async (): Promise<void> => {
    for (let round = 0; round < count; round++) {
      const name = names[round % names.length] ?? ''
      load.start(node.url)
      await sleep(random.between(300, isFull ? 3_000 : 800))
      await FAULTS[name]?.({ host, node, load, book, isFull })
      const before = book.acknowledged
      await until(() => book.acknowledged >= before + GOING_ON, `payments go on after: ${name}`, GO_ON_WITHIN_MS)
      await load.stop()
      await findAcknowledged(node.url, book)
      await load.settle(node.url, SETTLE_MS)
      await auditAll(node.url, book)
      await auditBlockEvents(node.url)
      await follower.hasAll(node.url)
      progress(`${round + 1} of ${count} faults: ${name}; ${book.size} payments`)
    }
  }
  await thenClose(faults, () => follower.close())
  await auditByCommands(node, host)
  await node.stop()
  await host.stop()
  assert.ok(book.size > 0)
  return {
    faults: count,
    payments: book.size,
    events: follower.count,
    'repeated submissions': load.duplicates,
    ...load.troubles,
  }
}
