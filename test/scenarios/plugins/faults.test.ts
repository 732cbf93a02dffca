import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { BOUNDS } from '../../../server/host/bounded.ts'
import {
  definePlugin,
  type Log,
  optional,
  type PluginDefinition,
  type PluginOptions,
  service,
  typeRef,
} from '../../../server/plugin.ts'
import { createTestHost, type TestHost, type TestHostOptions } from '../../../server/testing/index.ts'

const basis = { version: '1.0.0', api: '^1.0.0' }
const never = new Promise<never>(() => undefined)
const bounds = { ...BOUNDS, start: 100, drain: 100, stop: 100 }

interface Entry {
  readonly message: string
  readonly plugin?: unknown
  readonly [field: string]: unknown
}
let entries: Entry[] = []
const logOf = (fields: Record<string, unknown>): Log => {
  const line = (first: string | Record<string, unknown>, message?: string) =>
    void entries.push(
      typeof first === 'string' ? { ...fields, message: first } : { ...fields, ...first, message: message ?? '' },
    )
  return { debug: line, info: line, warn: line, error: line, child: (more) => logOf({ ...fields, ...more }) }
}

/** What goes on serving, whatever another plugin does. */
const bystander = definePlugin({
  ...basis,
  name: 'bystander',
  graphql: (builder) => builder.queryField('fine', (t) => t.string({ nullable: false, resolve: () => 'still here' })),
})()

interface Forecast {
  readonly id: string
}
const ForecastType = typeRef<Forecast>('Forecast')
const Feed = service<{ latest(): number }>('weather.feed')

const faulty = (fault: Partial<PluginDefinition>, options: PluginOptions = { onBootFailure: 'continue' }) =>
  definePlugin({
    ...basis,
    name: 'weather',
    provides: () => [[Feed, { latest: () => 7 }]],
    graphql: (builder, host) => {
      const forecast = builder.refOf(ForecastType)
      builder.node(forecast, {
        id: { resolve: ({ id }) => id },
        loadOne: (id) => ({ id }),
        fields: (t) => ({ sky: t.string({ nullable: false, resolve: () => 'blue' }) }),
      })
      builder.queryFields((t) => ({
        celsius: t.int({ nullable: false, resolve: () => 21 }),
        forecast: t.field({ type: forecast, resolve: () => ({ id: 'f1' }) }),
        broken: t.int({
          resolve: () => {
            throw new Error('the password is 1234')
          },
        }),
        plugin: t.string({ resolve: () => host.name }),
      }))
      builder.subscriptionField('gusts', (t) =>
        t.int({
          subscribe: async function* () {
            yield 1
          },
          resolve: (n: number) => n,
        }),
      )
    },
    ...fault,
  })({}, options)

const hosts: TestHost[] = []
const start = async (plugin: ReturnType<typeof faulty>, more: Partial<TestHostOptions> = {}): Promise<TestHost> => {
  const plugins = [bystander, plugin, ...(more.plugins ?? [])]
  const host = await createTestHost({ bounds, log: logOf({}), ...more, plugins })
  hosts.push(host)
  return host
}
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
  entries = []
})

const refused = (...path: (string | number)[]) =>
  expect.objectContaining({
    path,
    extensions: { code: 'PLUGIN_FAILED', plugin: 'weather' },
    message: expect.stringContaining('Plugin "weather" is out of service'),
  })
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

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

describe('a plugin that cannot be loaded, and may be left out', () => {
  const errorOf = ({ node }: TestHost): string | null | undefined =>
    node.plugins.find(({ name }) => name === 'weather')?.error
  const other = (name: string, dependsOn: Record<string, string>, options: PluginOptions = {}) =>
    definePlugin({ ...basis, name, dependsOn })({}, options)
  const thief = definePlugin({
    ...basis,
    name: 'owner',
    graphql: (builder) =>
      builder.objectRef('Forecast').implement({ fields: (t) => ({ x: t.int({ resolve: () => 1 }) }) }),
  })()

  it.each<[string, Partial<PluginDefinition>, Partial<TestHostOptions>, string]>([
    [
      'misses what it depends on',
      { dependsOn: { satellites: '^1.0.0' } },
      {},
      'plugin "weather": depends on plugin "satellites", which is not there; add satellites to plugins in deaios.config.ts',
    ],
    [
      'needs another version',
      { dependsOn: { bystander: '^2.0.0' } },
      {},
      'plugin "weather": depends on bystander ^2.0.0, and 1.0.0 is there; use a newer version of bystander',
    ],
    [
      'depends on itself in a circle',
      { dependsOn: { b: '*' } },
      { plugins: [other('b', { weather: '*' }, { onBootFailure: 'continue' })] },
      'plugin "weather": depends on itself: weather -> b -> weather; make one of these dependencies unnecessary',
    ],
    [
      'has a route of the server',
      { http: [{ method: 'GET', path: '/metrics', handle: () => new Response() }] },
      {},
      'plugin "weather": route GET /metrics has a path that is the server\'s own; choose another',
    ],
    [
      "defines another plugin's type",
      { dependsOn: { owner: '*' } },
      { plugins: [thief] },
      'plugin "weather": it defines the type Forecast, which plugin "owner" defines already.',
    ],
    [
      'throws where it defines its fields',
      {
        graphql: () => {
          throw new Error('no ink')
        },
      },
      {},
      'plugin "weather": no ink',
    ],
  ])('because it %s', async (_why, fault, more, message) => {
    const host = await start(faulty(fault), more)
    expect(errorOf(host)).toContain(message)
    expect(entries.some((entry) => entry.plugin === 'weather' && entry.message.includes('without it'))).toBe(true)
    expect(plain(await host.execute('{ fine }'))).toEqual({ data: { fine: 'still here' } })
    expect(plain(await host.execute('{ celsius }'))).toMatchObject({
      errors: [{ message: expect.stringContaining('celsius'), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    })
  })

  it('ends the start all the same if another needs it that may not be left out', async () => {
    await expect(
      start(faulty({ dependsOn: { satellites: '*' } }), { plugins: [other('needy', { weather: '*' })] }),
    ).rejects.toThrow('plugin "needy": needs plugin "weather", which failed')
    await expect(start(faulty({ dependsOn: { b: '*' } }), { plugins: [other('b', { weather: '*' })] })).rejects.toThrow(
      'depends on itself: weather -> b -> weather',
    )
  })

  it('because it has changed a migration that was applied', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deaios-migrations-'))
    const file = join(folder, '001-readings.sql')
    writeFileSync(file, 'create table readings (celsius int);')
    const host = await start(faulty({ migrations: pathToFileURL(`${folder}/`) }))
    expect(errorOf(host)).toBe(null)
    writeFileSync(file, 'create table readings (kelvin int);')
    await host.restart()
    expect(errorOf(host)).toContain(
      'plugin "weather": migration 001-readings.sql was changed after it had been applied; undo the change and add a new file',
    )
    expect(plain(await host.execute('{ fine celsius }'))).toEqual({
      data: { fine: 'still here', celsius: null },
      errors: [refused('celsius')],
    })
    rmSync(folder, { recursive: true })
  })
})
