import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Database } from '../db/database.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../db/migrate.ts'
import { systemClock } from '../host/clock.ts'
import { silentLog } from '../log.ts'
import { pause } from '../pause.ts'
import type { JobRun } from '../plugin/jobs.ts'
import { type Peers, peerCall, peerStream } from '../plugin/peers.ts'
import { until } from '../testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { Cluster } from './cluster.ts'

const Add = peerCall<{ a: bigint; b: Uint8Array }, { sum: bigint; by: string }>('clock', 'add', { repeatable: true })
const Once = peerCall<string, string>('clock', 'once')
const Wait = peerCall<null, string>('clock', 'wait', { repeatable: true })
const Ticks = peerStream<number, { tick: number; by: string }>('clock', 'ticks')

let test: TestDatabase
let database: Database
const open: Cluster[] = []
beforeEach(async () => {
  test = await createTestDatabase()
  database = await test.open()
  await migrate(database.sql(CORE_SCHEMA), CORE_SCHEMA, CORE_MIGRATIONS)
})
afterEach(async () => {
  await Promise.all(open.map(({ continuous }) => continuous.stop('weather')))
  await Promise.all(open.splice(0).map((cluster) => cluster.stop()))
  await database.close()
  await test.drop()
})

interface TestNode {
  readonly name: string
  readonly cluster: Cluster
  readonly peers: Peers
  readonly asked: string[]
  readonly cancelled: string[]
  ticked: number
}

/** A node; a candidate for the job `clock`, if it is asked to be. */
function join(name: string, isCandidate = true): TestNode {
  const cluster = new Cluster({ database, node: randomUUID(), clock: systemClock, log: silentLog })
  const node: TestNode = { name, cluster, peers: cluster.peers('weather'), asked: [], cancelled: [], ticked: 0 }
  const run = async ({ signal }: JobRun): Promise<void> => {
    node.peers.serve(Add, signal, ({ a, b }) => ({ sum: a + BigInt(b.length), by: name }))
    node.peers.serve(Once, signal, async (input, cancelled) => {
      node.asked.push(input)
      if (input === 'throw') throw Object.assign(new RangeError('too much of it'), { code: 'TOO_MUCH' })
      await pause(60_000, cancelled)
      node.cancelled.push(input)
      return 'never'
    })
    node.peers.serve(Wait, signal, async (_input, cancelled) => {
      node.asked.push('wait')
      if (node.name === 'first') await pause(60_000, cancelled)
      return name
    })
    node.peers.serveStream(Ticks, signal, async function* (count) {
      for (let tick = 0; tick < count; tick++) {
        node.ticked = tick
        yield { tick, by: name }
      }
      await pause(60_000, signal)
    })
    await pause(60_000_000, signal)
  }
  if (isCandidate)
    cluster.continuous.begin({ plugin: 'weather', name: 'clock', scope: 'leader', eligible: () => true, run })
  open.push(cluster)
  return node
}

const leads = ({ cluster }: TestNode): boolean => cluster.continuous.states()[0]?.status === 'running'

/** The first leads, the second follows it. */
async function pair(): Promise<[TestNode, TestNode]> {
  const first = join('first')
  await until(() => leads(first), 'the first leads')
  return [first, join('second')]
}

/** As if its holder had stood still for three seconds: who waits for the lease takes it. */
async function depose(): Promise<void> {
  const sql = database.sql(CORE_SCHEMA)
  await sql`update lease set holder = null, expires_at = clock_timestamp()`
  await sql`select pg_notify('core_lease', '')`
}

describe('the leader of a job', () => {
  it('answers every node, itself included, and gives what it was given', async () => {
    const nodes = await pair()
    for (const { peers } of [...nodes, join('third', false)])
      expect(await peers.call(Add, { a: 2n ** 70n, b: new Uint8Array(5) })).toEqual({
        sum: 2n ** 70n + 5n,
        by: 'first',
      })
  })

  it('is waited for by a node that cannot lead itself', async () => {
    const waiting = join('spectator', false).peers.call(Add, { a: 1n, b: new Uint8Array(0) })
    await sleep(200)
    join('late')
    expect(await waiting).toEqual({ sum: 1n, by: 'late' })
  })

  it('is not waited for longer than the caller wants', async () => {
    const { peers } = join('spectator', false)
    await expect(peers.call(Add, { a: 1n, b: new Uint8Array(0) }, { withinMs: 300 })).rejects.toMatchObject({
      code: 'NO_LEADER',
      message: 'no node leads weather/clock now; try again in a moment',
    })
  })

  it('answers with its error, code and all', async () => {
    const [, second] = await pair()
    await expect(second.peers.call(Once, 'throw')).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'TOO_MUCH',
      message: 'too much of it',
    })
  })

  it('is told when the caller gives up', async () => {
    const [first, second] = await pair()
    const giveUp = new AbortController()
    const calling = second.peers.call(Once, 'x', { signal: giveUp.signal })
    await until(() => first.asked.includes('x'), 'it is asked')
    giveUp.abort(new Error('enough'))
    await expect(calling).rejects.toThrow('enough')
    await until(() => first.cancelled.includes('x'), 'it is told')
  })

  it('is replaced without a call being lost that may be repeated', async () => {
    const [first, second] = await pair()
    const third = join('third', false)
    const calls = [first, second, third].map(({ peers }) => peers.call(Wait, null))
    await until(() => first.asked.length === 3, 'all have asked it')
    await depose()
    expect(await Promise.all(calls)).toEqual(['second', 'second', 'second'])
  })

  it('is replaced, and who asked what must not be repeated is told so', async () => {
    const [first, second] = await pair()
    const third = join('third', false)
    const calls = [first, third].map(({ peers }) => peers.call(Once, 'pay').catch((error: unknown) => error))
    await until(() => first.asked.length === 2, 'both have asked it')
    await first.cluster.continuous.stop('weather')
    for (const call of calls) expect(await call).toMatchObject({ code: 'LEADER_LOST' })
    await until(() => leads(second), 'the second leads')
    expect(second.asked).toEqual([])
  })
})

describe('the token of a call', () => {
  it('says what goes in and what comes out', async () => {
    const { peers } = join('spectator', false)
    const soon = { withinMs: 1 }
    // @ts-expect-error A number is no bigint.
    await expect(peers.call(Add, { a: 1, b: new Uint8Array(0) }, soon)).rejects.toMatchObject({ code: 'NO_LEADER' })
    // @ts-expect-error A call is no stream.
    const items = peers.stream(Once, 'x', soon)
    await expect(Array.fromAsync(items)).rejects.toMatchObject({ code: 'NO_LEADER' })
    // @ts-expect-error The answer is a text.
    peers.serve(Once, AbortSignal.timeout(1), () => 7)
  })
})

describe('a stream of the leader', () => {
  it('gives every item in order, here and there, and no faster than it is read', async () => {
    const nodes = await pair()
    for (const node of nodes) {
      const seen: number[] = []
      for await (const { tick } of node.peers.stream(Ticks, 1000)) {
        seen.push(tick)
        if (tick === 10) {
          await sleep(100)
          expect(nodes[0].ticked).toBeLessThan(200)
        }
        if (tick === 999) break
      }
      expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    }
  })

  it('ends when its reader has enough, and with LEADER_LOST when the leader goes', async () => {
    const [first, second] = await pair()
    const enough = new AbortController()
    for await (const { tick } of second.peers.stream(Ticks, 3, { signal: enough.signal }))
      if (tick === 2) enough.abort()
    const read = async ({ peers }: TestNode): Promise<void> => {
      for await (const { tick } of peers.stream(Ticks, 3)) if (tick === 2) void first.cluster.continuous.stop('weather')
    }
    await Promise.all([first, second].map((node) => expect(read(node)).rejects.toMatchObject({ code: 'LEADER_LOST' })))
  })
})

describe('the door of a node', () => {
  it('is shut for whoever does not show the secret', async () => {
    await pair()
    const [row] = await database.sql(CORE_SCHEMA)<{ url: string; secret: string }[]>`select url, secret from node`
    const knock = (authorization?: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(row?.url ?? '', authorization === undefined ? {} : { headers: { authorization } })
        socket.once('open', () => resolve('open'))
        socket.once('error', (error) => resolve(error.message))
        socket.once('open', () => socket.close())
      })
    expect(await knock()).toContain('401')
    expect(await knock('Bearer ')).toContain('401')
    expect(await knock(`Bearer ${row?.secret.slice(1)}`)).toContain('401')
    expect(await knock(`Bearer ${row?.secret}`)).toBe('open')
  })

  it('is off the list when the node has stopped', async () => {
    const [first] = await pair()
    await first.cluster.continuous.stop('weather')
    await first.cluster.stop()
    const rows = await database.sql(CORE_SCHEMA)`select id from node`
    expect(rows.length).toBe(1)
  })
})
