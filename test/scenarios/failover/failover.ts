import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient, toHex } from '../../../client/index.ts'
import { until } from '../../../server/testing/program.ts'
import { thenClose, withLastWords } from '../first-error.ts'
import { auditAll, findAcknowledged, readGenesis } from '../node/audit.ts'
import { Book } from '../node/book.ts'
import { Load } from '../node/load.ts'
import type { NodeUnderTest } from '../node/node-under-test.ts'
import type { Random } from '../random.ts'
import type { Run, Scenario } from '../scenario.ts'
import { EventReader, firstEvent } from '../streams/event-reader.ts'
import { WatchedPayments } from '../streams/watched-payments.ts'
import { TwoNodes } from './two-nodes.ts'

/**
 * What the design promises: from the leader's end to payments acknowledged by the next. So long a node lets its clients
 * wait, too. It is measured in soaks: where tests run side by side, it takes as long as the machine needs.
 */
const MOVES_WITHIN_MS = 10_000
const MOVES_AT_ALL_MS = 120_000
const SETTLE_MS = 120_000
/** Payments acknowledged after a fault that count as going on. */
const GOING_ON = 30
/** Longer than a lease: the frozen leader wakes up replaced, and does not know it. */
const FROZEN_MS = 8_000
/** Of the payments that are watched. */
const LANE = 0

type Way = 'killed' | 'frozen' | 'stopped'
const WAYS: readonly Way[] = ['killed', 'frozen', 'stopped']

/** One node of two leads and is taken away, again and again, while clients of the other pay each other. */
export const failover: Scenario = {
  name: 'execution/failover',
  claim:
    'when the leader is killed, frozen or stopped another node leads, in a soak within 10 s; its clients notice only a wait',
  unit: 'failovers',
  counts: { full: 30, reduced: 2 },
  run: async (run) => {
    const pair = await TwoNodes.start()
    const [one, other] = pair.nodes
    return thenClose(
      () => withLastWords({ one, other }, () => play(pair, run)),
      () => pair.remove(),
    )
  },
}

async function play(pair: TwoNodes, { count, isFull, random, progress }: Run) {
  const book = new Book((await readGenesis(pair.nodes[0].url)).id)
  const load = new Load(book, random)
  const counts: Record<Way, number> = { killed: 0, frozen: 0, stopped: 0 }
  const slowest: Record<Way, number> = { killed: 0, frozen: 0, stopped: 0 }
  const withinMs = isFull ? MOVES_WITHIN_MS : MOVES_AT_ALL_MS
  let events = 0
  let watched = 0
  for (let round = 0; round < count; round++) {
    const way = WAYS[round % WAYS.length] ?? 'killed'
    counts[way]++
    const { leader, follower } = await pair.roles()
    const terms = await pair.terms()
    const told = { ...load.troubles }
    load.start(follower.url)
    const clients = await Clients.of(follower.url, watched, random)
    let tookMs = 0
    const fault = async (): Promise<void> => {
      await sleep(random.between(300, isFull ? 3000 : 600))
      const since = performance.now()
      const back = await takeAway(leader, way)
      await until(async () => (await pair.leader()) === follower, 'the follower leads', withinMs)
      const before = book.acknowledged
      await until(() => book.acknowledged >= before + GOING_ON, 'payments go on', withinMs)
      tookMs = Math.round(performance.now() - since)
      slowest[way] = Math.max(slowest[way], tookMs)
      await back()
      await sleep(random.between(0, 500))
      await load.stop()
      await findAcknowledged(follower.url, book)
      await load.settle(follower.url, SETTLE_MS)
      watched += await clients.stop()
      // When nobody pays any more, fees come to rest, too.
      await auditAll(follower.url, book)
      events += await clients.hasAll(follower.url)
    }
    await thenClose(fault, () => clients.close())
    const moves = (await pair.terms()) - terms
    assert.ok(isFull ? moves === 1 : moves >= 1, `the work moved once, and not ${moves} times`)
    if (tookMs < MOVES_WITHIN_MS && moves === 1) {
      assert.deepEqual(load.troubles, told, 'clients of the follower were told of no trouble')
      assert.equal(clients.unavailable, 0, 'those who watch neither')
    }
    const codes = Object.keys(load.troubles).filter((code) => code !== 'SHARD_UNAVAILABLE')
    assert.deepEqual(codes, [], 'clients of the follower were told at most that nobody leads')
    // The one that came back serves, too, and says the same.
    await auditAll(leader.url, book)
    progress(`${round + 1} of ${count}: ${way}; ${book.size} payments, slowest ${slowest[way]} ms`)
  }
  return {
    failovers: count,
    ...counts,
    payments: book.size,
    events,
    'payments watched': watched,
    'repeated submissions': load.duplicates,
    'slowest move': WAYS.map((way) => `${slowest[way]} ms (${way})`).join(' '),
  }
}

/** Takes a leader away; gives how to bring it back, as a follower. */
async function takeAway(leader: NodeUnderTest, way: Way): Promise<() => Promise<void>> {
  if (way === 'frozen') {
    leader.freeze()
    const thawed = sleep(FROZEN_MS).then(() => leader.thaw())
    return () => thawed
  }
  await (way === 'killed' ? leader.kill() : leader.stop())
  return () => leader.start()
}

/** Clients of the follower that subscribe to events and to their transactions. */
class Clients {
  readonly #client: Client
  readonly #reader: EventReader
  readonly #payments: WatchedPayments

  private constructor(client: Client, reader: EventReader, payments: WatchedPayments) {
    this.#client = client
    this.#reader = reader
    this.#payments = payments
  }

  static async of(url: string, watched: number, random: Random): Promise<Clients> {
    const client = createClient({ url })
    const reader = new EventReader(client, null, await firstEvent(url))
    const payments = new WatchedPayments(client, toHex((await readGenesis(url)).id), LANE, random.fork(), watched)
    reader.start()
    payments.start()
    return new Clients(client, reader, payments)
  }

  /** How often watchers were told that nobody leads. */
  get unavailable(): number {
    return this.#payments.unavailable
  }

  /** Lets the payments end that are watched. Gives how many were seen to their end. */
  async stop(): Promise<number> {
    await this.#payments.stop()
    assert.ok(this.#payments.seen > 0, 'payments are watched to their end')
    return this.#payments.seen
  }

  /** Gives how many events came: all, each once, over one subscription. */
  async hasAll(url: string): Promise<number> {
    await this.#reader.hasAll(url)
    assert.equal(this.#reader.resumed, 0, 'the subscription was not interrupted')
    return this.#reader.received.length
  }

  async close(): Promise<void> {
    await this.#reader.stop()
    await this.#client.close()
  }
}
