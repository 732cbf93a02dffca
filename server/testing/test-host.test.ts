import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createClient, document } from '../../client/index.ts'
import { apiError } from '../../schema/index.ts'
import { type ConfiguredPlugin, cron, definePlugin, queue, service, topic } from '../plugin.ts'
import { createTestHost, type TestHost, testClock } from './index.ts'

interface Feed {
  latest(): number
  station(): string
}
const FeedToken = service<Feed>('weather.feed')
const Reported = topic('weather.reported', z.object({ celsius: z.int() }))

const basis = { version: '1.0.0', api: '^1.0.0' }
const weather = definePlugin({
  ...basis,
  name: 'weather',
  version: '2.3.0',
  topics: [Reported],
  provides: () => [[FeedToken, { latest: () => 21, station: () => 'roof' }]],
})()

/** Shows what it is told. */
const report = definePlugin({
  ...basis,
  name: 'report',
  dependsOn: { weather: '^2.1.0' },
  requires: { feed: FeedToken },
  graphql: (builder, host) => {
    builder.queryFields((t) => ({
      latest: t.int({ resolve: () => host.use.feed.latest() }),
      station: t.string({ resolve: () => host.use.feed.station() }),
      time: t.field({ type: 'DateTime', resolve: () => new Date(host.clock.now()) }),
      secret: t.string({ authScopes: { scope: 'report:read' }, resolve: () => 'hidden' }),
      whoami: t.string({ resolve: (_root, _args, { principal }) => principal.id }),
      fault: t.string({
        resolve: () => {
          throw new Error('the password is 1234')
        },
      }),
      refusal: t.string({
        resolve: () => {
          throw apiError('NOT_TODAY', 'Come back tomorrow.')
        },
      }),
    }))
    builder.subscriptionField('celsius', (t) =>
      t.int({
        args: { after: t.arg({ type: 'Cursor' }) },
        subscribe: (_root, { after }, { signal }) => host.events.subscribe(Reported, { after, signal }),
        resolve: ({ payload }) => payload.celsius,
      }),
    )
  },
})()

let host: TestHost | undefined
afterEach(async () => {
  await host?.stop()
  host = undefined
})
const start = async (plugins: readonly ConfiguredPlugin[]): Promise<TestHost> => {
  host = await createTestHost({ plugins })
  return host
}

describe('a test host', () => {
  it('answers as a server would: scopes, limits, masked errors', async () => {
    const { execute } = await start([weather, report])
    expect(await execute('{ latest station whoami }')).toEqual({
      data: { latest: 21, station: 'roof', whoami: 'anonymous' },
    })
    const refusal = await execute('{ secret }')
    expect(refusal.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', scope: 'report:read' })
    expect(await execute('{ secret }', {}, { as: { scopes: [] } })).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    })
    expect(await execute('{ secret }', {}, { as: { scopes: ['report:read'] } })).toEqual({ data: { secret: 'hidden' } })
    expect(await execute('{ refusal }')).toMatchObject({ errors: [{ extensions: { code: 'NOT_TODAY' } }] })
    const fault = await execute('{ fault }')
    expect(fault.errors?.[0]?.extensions?.code).toBe('INTERNAL_SERVER_ERROR')
    expect(JSON.stringify(fault)).not.toContain('1234')
    expect((await execute(`{ ${'a: latest '.repeat(60)} }`)).errors?.length).toBeGreaterThan(0)
  })

  it('publishes events, and follows subscriptions with and without a cursor', async () => {
    const { publish, subscribe, node } = await start([weather, report])
    const live = await subscribe('subscription { celsius }')
    await publish(Reported, { celsius: 1 })
    await publish(Reported, { celsius: 2 })
    expect(await live.take(2)).toEqual([{ celsius: 1 }, { celsius: 2 }])
    const [first] = (await node.events.page(Reported, 1)).events
    const later = await subscribe('subscription ($after: Cursor) { celsius(after: $after) }', { after: first?.cursor })
    expect(await later.take(1)).toEqual([{ celsius: 2 }])
    await later.end()
    expect(await later.next()).toEqual({ done: true, value: undefined })
    await expect(subscribe('subscription { humidity }')).rejects.toThrow('humidity')
    await expect(subscribe('{ latest }')).rejects.toThrow('use host.execute')
  })

  it('puts fakes in the place of services, whether their plugin is loaded or not', async () => {
    for (const plugins of [[report], [weather, report]]) {
      host = await createTestHost({ plugins, fakes: [[FeedToken, { latest: () => -40 }]] })
      expect(await host.execute('{ latest }')).toEqual({ data: { latest: -40 } })
      expect(await host.execute('{ station }')).toMatchObject({
        errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      })
      await host.stop()
    }
    host = undefined
    // @ts-expect-error: latest() gives a number
    createTestHost({ plugins: [], fakes: [[FeedToken, { latest: () => 'mild' }]] }).then((it) => it.stop())
  })

  it('lets a test move its clock', async () => {
    const clock = testClock(Date.UTC(2031, 5, 1))
    host = await createTestHost({ plugins: [weather, report], clock })
    expect(await host.execute('{ time }')).toEqual({ data: { time: '2031-06-01T00:00:00.000Z' } })
    let woken = 0
    const rest = clock.sleep(60_000).then(() => clock.sleep(60_000).then(() => woken++))
    await host.advance(119_000)
    expect(woken).toBe(0)
    await host.advance(1_000)
    await rest
    expect(await host.execute('{ time }')).toEqual({ data: { time: '2031-06-01T00:02:00.000Z' } })
    await expect(clock.sleep(1000, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    const aborted = new AbortController()
    const slept = clock.sleep(1000, aborted.signal)
    aborted.abort(new Error('enough'))
    await expect(slept).rejects.toThrow('enough')
  })

  it('runs jobs: one at once, or by the clock', async () => {
    const story: string[] = []
    const greet = queue({
      name: 'greet',
      input: z.object({ whom: z.string() }),
      run: ({ data }) => void story.push(data.whom),
    })
    const busy = definePlugin({
      ...basis,
      name: 'busy',
      jobs: (own) => [
        greet,
        cron({
          name: 'hourly',
          schedule: '30 * * * *',
          run: async () => {
            story.push(new Date(own.clock.now()).toISOString().slice(11, 16))
            await own.jobs.enqueue(own.sql, greet, { whom: 'Ann' })
          },
        }),
      ],
    })()
    host = await createTestHost({ plugins: [busy], clock: testClock(Date.UTC(2031, 0, 1)) })
    await host.runJob('busy', 'greet', { whom: 'Bob' })
    expect(story).toEqual(['Bob'])
    await host.advance(2 * 3_600_000)
    expect(story).toEqual(['Bob', '00:30', 'Ann', '01:30', 'Ann'])
    await expect(host.runJob('busy', 'weekly')).rejects.toMatchObject({ code: 'JOB_UNKNOWN' })
    await expect(host.runJob('busy', 'greet', {})).rejects.toThrow('whom')
  })

  it('waits for events that are to come', async () => {
    const { publish, published } = await start([weather])
    const two = published(Reported, 2)
    await publish(Reported, { celsius: 1 })
    await publish(Reported, { celsius: 2 })
    expect(await two).toEqual([{ celsius: 1 }, { celsius: 2 }])
  })

  it('serves real clients where a test wants one', async () => {
    const { serve } = await start([weather, report])
    const [{ url }, again] = await Promise.all([serve(), serve()])
    expect(again.url).toBe(url)
    const client = createClient({ url })
    expect(await client.request(document<{ latest: number }, object>('{ latest }'), {})).toEqual({ latest: 21 })
    await client.close()
  })

  it('keeps its data over a restart, and ends what is open with a reason', async () => {
    const { publish, subscribe, restart, node } = await start([weather, report])
    await publish(Reported, { celsius: 5 })
    const live = await subscribe('subscription { celsius }')
    await restart()
    await expect(live.take(1)).rejects.toThrow('DRAINING')
    expect(host?.node).not.toBe(node)
    expect((await host?.node.events.page(Reported, 9))?.events.map(({ payload }) => payload)).toEqual([{ celsius: 5 }])
    expect(host?.sdl).toContain('whoami: String')
  })
})
