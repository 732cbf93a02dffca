import { serialize } from 'node:v8'
import { afterEach, describe, expect, it } from 'vitest'
import { Door } from '../../../server/links.ts'
import { silentLog } from '../../../server/log.ts'
import { until } from '../../../server/testing/program.ts'
import { HostLink, type LinkedShard } from './host-link.ts'
import { ProcessShardHost } from './process-host.ts'

const SECRET = 'x'.repeat(40)

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A leader, and a shard host that says these things to it and nothing else. */
async function leaderOf(...said: unknown[]) {
  const calls: number[] = []
  const door = await Door.open({
    path: '/shard-host',
    secret: SECRET,
    hostname: '127.0.0.1',
    port: 0,
    maxOpen: 4,
    onSocket: (socket) => {
      calls.push(calls.length)
      for (const frame of said) socket.send(serialize(frame))
    },
  })
  ends.push(() => door.close())
  const link = new HostLink({
    name: 'other',
    url: door.url,
    secret: SECRET,
    document: new Uint8Array(0),
    fence: 1n,
    log: silentLog,
    onFenced: () => undefined,
    rootMoment: () => Promise.reject(new Error('there is none')),
  })
  return { link, calls }
}

describe('what a shard host says that makes no sense', () => {
  const opened = { type: 'opened', fence: 1n, time: Date.now() }
  it.each([
    ['no list', 5],
    ['nothing', [null]],
    ['of an unknown kind', [{ type: 'unknown' }]],
    ['no report', [opened, { type: 'report', shard: '0:1', report: null }]],
    ['a report of an unknown kind', [opened, { type: 'report', shard: '0:1', report: { type: 'split', handover: 5 } }]],
  ])('ends the connection, not the node: %s', async (_name, frame) => {
    const { link, calls } = await leaderOf(frame)
    const shard = new ProcessShardHost(
      '0:1',
      link,
      async () => ({ shard: '0:1', tuning: null, listed: null, from: null }),
      silentLog,
    )
    shard.onReport((report) => {
      if (report.type === 'split') for (const { seed } of report.handover ?? []) expect(seed).toBeDefined()
    })
    ends.push(() => shard.abandon())
    link.attach(shard satisfies LinkedShard)
    await until(() => calls.length > 1, 'a second try')
  })
})

it('is not used while its clock is far ahead: the time of its blocks would take the ledger along', async () => {
  for (const [ahead, told] of [
    [3_600_000, 'CLOCK_AHEAD'],
    [Number.NaN, 'CLOCK_AHEAD'],
    [-3_600_000, 'up'],
  ] as const) {
    const { link } = await leaderOf([{ type: 'opened', fence: 1n, time: Date.now() + ahead }])
    const heard: string[] = []
    const shard: LinkedShard = {
      id: '0:1',
      up: () => heard.push('up'),
      down: ({ code }) => heard.push(code),
      take: () => undefined,
    }
    link.attach(shard)
    await until(() => heard.length > 0, 'word of the shard host')
    link.detach(shard)
    expect(heard[0]).toBe(told)
  }
})
