import { describe, expect, it } from 'vitest'
import { definePlugin, optional } from '../../../server/plugin.ts'
import { createTestHost } from '../../../server/testing/index.ts'
import { basis, bounds, bystander, entries, Feed, faulty, logOf, plain, refused, start } from './faulty.ts'

const never = new Promise<never>(() => undefined)

describe('a plugin that throws in start, and may be left out', () => {
  const failing = () =>
    faulty({
      start: () => {
        throw new Error('no antenna')
      },
    })

  it('nulls its own fields, each with a coded error at its path, and no other', async () => {
    const host = await start(failing())
    // The second time it is compiled.
    for (let n = 0; n < 3; n++)
      expect(plain(await host.execute('{ fine celsius again: celsius forecast { sky } }'))).toEqual({
        data: { fine: 'still here', celsius: null, again: null, forecast: null },
        errors: expect.arrayContaining([refused('celsius'), refused('again'), refused('forecast')]),
      })
    const id = Buffer.from('Forecast:f1').toString('base64')
    expect(plain(await host.execute('query ($id: ID!) { fine node(id: $id) { id } }', { id }))).toEqual({
      data: { fine: 'still here', node: null },
      errors: [refused('node')],
    })
    await expect(host.subscribe('subscription { gusts }')).rejects.toThrow('out of service')
  })

  it('is named with what it could not do, in plugins, in the log and at /readyz', async () => {
    const host = await start(failing())
    expect(plain(await host.execute('{ plugins { name status error health { ok } } }'))).toMatchObject({
      data: {
        plugins: [
          { name: 'bystander', status: 'RUNNING', error: null, health: { ok: true } },
          {
            name: 'weather',
            status: 'FAILED',
            error: expect.stringContaining('plugin "weather": could not start: no antenna'),
            health: { ok: false },
          },
        ],
      },
    })
    expect(entries).toContainEqual(
      expect.objectContaining({ plugin: 'weather', message: 'could not start; going on without it' }),
    )
    const { url } = await host.serve()
    const ready = await fetch(new URL('/readyz', url))
    expect([ready.status, await ready.json()]).toEqual([200, { ok: true, message: 'weather: it has failed' }])
  })

  it('provides nothing to those that can do without it', async () => {
    const user = definePlugin({
      ...basis,
      name: 'user',
      dependsOn: { '?weather': '*' },
      requires: { feed: optional(Feed) },
      graphql: (builder, host) =>
        builder.queryField('hasFeed', (t) => t.boolean({ resolve: () => host.use.feed !== undefined })),
    })()
    expect(plain(await (await start(failing(), { plugins: [user] })).execute('{ hasFeed }'))).toEqual({
      data: { hasFeed: false },
    })
    expect(plain(await (await start(faulty({}), { plugins: [user] })).execute('{ hasFeed }'))).toEqual({
      data: { hasFeed: true },
    })
  })

  it('says so at its routes, while the others answer', async () => {
    const host = await start(
      faulty({
        start: () => Promise.reject(new Error('no antenna')),
        http: [{ method: 'GET', path: '/weather', handle: () => new Response('blue') }],
      }),
    )
    const { url } = await host.serve()
    const answer = await fetch(new URL('/weather', url))
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { errors: [{ message: expect.stringContaining('"weather"'), extensions: { code: 'PLUGIN_FAILED' } }] },
    ])
  })
})

describe('a plugin that hangs', () => {
  it('in start is given up, named, and left out', async () => {
    const host = await start(faulty({ start: () => never }))
    expect(plain(await host.execute('{ fine celsius }'))).toEqual({
      data: { fine: 'still here', celsius: null },
      errors: [refused('celsius')],
    })
    expect(host.node.plugins.find(({ name }) => name === 'weather')?.error).toContain(
      'plugin "weather": start did not finish within 0.1 s',
    )
  })

  it('in drain or stop is given up and named, and the node stops', async () => {
    const host = await createTestHost({
      plugins: [bystander, faulty({ drain: () => never, stop: () => never })],
      bounds,
      log: logOf({}),
    })
    await host.stop()
    const messages = entries.map(({ error }) => (error instanceof Error ? error.message : ''))
    for (const step of ['drain', 'stop'])
      expect(messages).toContain(`plugin "weather": ${step} did not finish within 0.1 s`)
  })
})

describe('a plugin that throws', () => {
  it('in a resolver is named in the log, and the client learns only the name of the request', async () => {
    const host = await start(faulty({}))
    for (let n = 0; n < 4; n++) {
      const answer = plain(
        await host.execute('query { fine forecast { sky } ...more } fragment more on Query { x: broken }'),
      )
      expect(answer).toMatchObject({
        data: { fine: 'still here', forecast: { sky: 'blue' }, x: null },
        errors: [{ path: ['x'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      })
      expect(JSON.stringify(answer)).not.toContain('1234')
    }
    const told = entries.filter(({ message }) => message === 'a request failed in an unexpected way')
    expect(told.length).toBe(4)
    for (const entry of told) expect(entry).toMatchObject({ plugin: 'weather', path: 'x' })
  })

  it('before each request is named in the log', async () => {
    const host = await start(faulty({ beforeRequest: () => Promise.reject(new Error('the password is 1234')) }))
    expect(plain(await host.execute('{ fine }'))).toMatchObject({
      errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect(entries).toContainEqual(
      expect.objectContaining({ plugin: 'weather', message: 'plugin "weather": its beforeRequest failed' }),
    )
  })

  it('in health is ill and does not say why to strangers; the log does, once', async () => {
    const host = await start(
      faulty({
        health: () => {
          throw new Error('the password is 1234')
        },
      }),
    )
    for (let n = 0; n < 3; n++)
      expect(plain(await host.execute('{ fine plugins { health { ok message } } }'))).toMatchObject({
        data: {
          fine: 'still here',
          plugins: [
            { health: { ok: true } },
            { health: { ok: false, message: 'it cannot say how it is; see the log' } },
          ],
        },
      })
    expect(entries.filter(({ message }) => message === 'plugin "weather": its health check failed')).toMatchObject([
      { plugin: 'weather', error: { message: 'the password is 1234' } },
    ])
  })
})

describe('a plugin that leaves a timer running', () => {
  it('is named at the end with the place, and the timer is cleared', async () => {
    let ticks = 0
    const host = await createTestHost({
      plugins: [
        bystander,
        faulty({
          start: async () => {
            await Promise.resolve()
            setInterval(() => ticks++, 10)
            setTimeout(() => undefined, 60_000)
            clearTimeout(setTimeout(() => undefined, 60_000))
            setInterval(() => undefined, 1000).unref()
          },
        }),
      ],
      log: logOf({}),
    })
    await host.stop()
    const told = entries.filter(({ message }) => message.includes('left a timer'))
    expect(told.length).toBe(2)
    for (const entry of told)
      expect(entry).toMatchObject({
        plugin: 'weather',
        message: 'plugin "weather" left a timer running; clear it in stop()',
        where: expect.stringMatching(/faults\.test\.ts:\d+/),
      })
    const ticked = ticks
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(ticks).toBe(ticked)
  })

  it('is not blamed for timers that it has cleared, nor for those of its database', async () => {
    const host = await createTestHost({
      plugins: [
        bystander,
        faulty({
          start: async (plugin) => {
            await plugin.sql`select 1`
            await plugin.clock.sleep(5)
          },
        }),
      ],
      log: logOf({}),
    })
    await host.stop()
    expect(entries.filter(({ message }) => message.includes('left a timer'))).toEqual([])
  })
})

describe("a plugin that takes what is another's", () => {
  it('by defining its type is named with the owner', async () => {
    const thief = definePlugin({
      ...basis,
      name: 'thief',
      graphql: (builder) =>
        builder.objectRef('Forecast').implement({ fields: (t) => ({ x: t.int({ resolve: () => 1 }) }) }),
    })()
    await expect(start(faulty({}), { plugins: [thief] })).rejects.toThrow(
      'plugin "thief": it defines the type Forecast, which plugin "weather" defines already. Rename yours, or extend theirs through its token. [DUPLICATE_TYPE]',
    )
  })

  it('by asking for a metric again with other labels is named with the metric', async () => {
    const host = await start(
      faulty({
        start: ({ metrics }) => {
          metrics.counter({ name: 'gusts_total', help: 'Gusts.', labels: ['street'] })
          metrics.counter({ name: 'gusts_total', help: 'Gusts.', labels: ['city'] })
        },
      }),
    )
    expect(host.node.plugins.find(({ name }) => name === 'weather')?.error).toContain(
      'plugin "weather": asks for the metric gusts_total a second time, with other labels or buckets; ask for it once and share it',
    )
    expect(plain(await host.execute('{ fine }'))).toEqual({ data: { fine: 'still here' } })
  })
})
