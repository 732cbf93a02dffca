import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { apiError } from '../../schema/index.ts'
import { createHttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { type ConfiguredPlugin, definePlugin, extensionPoint, optional, service, topic } from '../plugin.ts'
import { createTestHost, type TestHost, type TestHostOptions } from '../testing/index.ts'
import { until } from '../testing/program.ts'
import { BOUNDS } from './bounded.ts'
import { checkPlugins } from './check.ts'
import { printableSchema } from './schema.ts'

const basis = { version: '1.0.0', api: '^1.0.0' }
/** A schema needs a field. */
const root = definePlugin({
  ...basis,
  name: 'root',
  graphql: (builder) => builder.queryField('one', (t) => t.int({ resolve: () => 1 })),
})()

const hosts: TestHost[] = []
async function start(plugins: readonly ConfiguredPlugin[], options: Partial<TestHostOptions> = {}): Promise<TestHost> {
  const host = await createTestHost({ plugins: [root, ...plugins], ...options })
  hosts.push(host)
  return host
}
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
})

interface Feed {
  latest(): number
}
const FeedToken = service<Feed>('weather.feed')
const Sources = extensionPoint<string>('weather.sources')
const Reported = topic('weather.reported', z.object({ celsius: z.bigint() }))

/** A plugin that writes down what is done to it. */
const recorder = (name: string, dependsOn: Record<string, string>, story: string[]) =>
  definePlugin({
    ...basis,
    name,
    dependsOn,
    provides: () => {
      story.push(`provide ${name}`)
      return []
    },
    start: () => void story.push(`start ${name}`),
    drain: (host) => void story.push(`drain ${name}${host.signal.aborted ? ' too late' : ''}`),
    stop: (host) => void story.push(`stop ${name}${host.signal.aborted ? '' : ' too early'}`),
  })()

describe('a node', () => {
  it('starts plugins behind what they depend on, and ends them the other way round', async () => {
    const story: string[] = []
    const host = await start([
      recorder('c', { b: '*' }, story),
      recorder('a', {}, story),
      recorder('b', { a: '*' }, story),
    ])
    await host.restart()
    const up = ['a', 'b', 'c'].map((name) => `provide ${name}`).concat(['a', 'b', 'c'].map((name) => `start ${name}`))
    const down = ['c', 'b', 'a'].map((name) => `drain ${name}`).concat(['c', 'b', 'a'].map((name) => `stop ${name}`))
    expect(story).toEqual([...up, ...down, ...up])
  })

  it('gives a plugin its services, contributions, tables, files, events and config', async () => {
    const weather = definePlugin({
      ...basis,
      name: 'weather',
      config: z.object({ offset: z.int().default(5) }),
      topics: [Reported],
      migrations: new URL('./fixtures/weather-migrations/', import.meta.url),
      provides: (host) => [[FeedToken, { latest: () => host.config.offset + host.contributions(Sources).length }]],
      start: async (host) => {
        await host.sql.begin(async (tx) => {
          await tx`insert into readings (celsius) values (${host.own(FeedToken).latest()})`
          await host.events.publish(tx, Reported, { celsius: 7n })
        })
        host.banner('weather station', host.dataDir)
      },
      health: () => ({ ok: true, message: 'mild' }),
    })
    const report = definePlugin({
      ...basis,
      name: 'report',
      dependsOn: { weather: '^1.0.0' },
      requires: { feed: FeedToken },
      contributes: [
        [Sources, 'satellite'],
        [Sources, 'buoy'],
      ],
      graphql: (builder, host) => builder.queryField('latest', (t) => t.int({ resolve: () => host.use.feed.latest() })),
    })
    const host = await start([report(), weather()])
    expect(await host.execute('{ latest }')).toEqual({ data: { latest: 7 } })
    expect(await host.sql('weather')`select celsius from readings`).toEqual([{ celsius: 7 }])
    expect(host.node.banner).toEqual([
      { plugin: 'weather', label: 'weather station', value: `${host.dataDir}/weather` },
    ])
    const published = () => host.node.events.page(Reported, 9)
    await until(async () => (await published()).events.length > 0, 'the event has its place')
    expect((await published()).events).toMatchObject([{ topic: 'weather.reported', payload: { celsius: 7n } }])
    expect(await host.node.plugins.find(({ name }) => name === 'weather')?.health()).toEqual({
      ok: true,
      message: 'mild',
    })
    await host.restart()
    expect((await host.sql('weather')`select celsius from readings`).count).toBe(2)
  })

  it('lets a plugin look at each request, and adds up the health of all', async () => {
    let isIll = false
    const guard = definePlugin({
      ...basis,
      name: 'guard',
      config: z.object({ closed: z.boolean() }),
      beforeRequest: (context, host) => {
        if (host.config.closed && context.requestExtensions.key !== 'open') throw apiError('CLOSED', 'Come back later.')
      },
      health: () => (isIll ? { ok: false, message: 'a cold' } : { ok: true }),
    })
    const { node } = await start([guard({ closed: true })])
    const server = await createHttpServer({
      schema: node.schema,
      before: node.before,
      ready: () => node.ready(),
      log: silentLog,
      port: 0,
    })
    const ask = async (extensions: Record<string, unknown>) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ query: '{ one plugins { name health { ok } } }', extensions })
      return await (await fetch(server.url, { method: 'POST', headers, body })).json()
    }
    expect(await ask({})).toMatchObject({ errors: [{ extensions: { code: 'CLOSED' } }] })
    expect(await ask({ key: 'open' })).toMatchObject({
      data: { one: 1, plugins: [{ name: 'root' }, { name: 'guard' }] },
    })
    const health = new URL('/readyz', server.url)
    expect((await fetch(health)).status).toBe(200)
    isIll = true
    await until(async () => (await fetch(health)).status === 503, 'it is noticed')
    expect(await (await fetch(health)).json()).toEqual({ ok: false, message: 'guard: a cold' })
    await server.close()
  })

  it('prints its schema with nothing opened', () => {
    const seen: unknown[] = []
    const eager = definePlugin({
      ...basis,
      name: 'eager',
      graphql: (builder, host) => {
        builder.queryField('two', (t) => t.int({ resolve: () => host.sql`select 2`.then(() => 2) }))
        try {
          host.sql
        } catch (error) {
          seen.push(error)
        }
      },
    })
    expect(
      Object.keys(
        printableSchema(checkPlugins([eager()]))
          .getQueryType()
          ?.getFields() ?? {},
      ),
    ).toContain('two')
    expect(seen).toMatchObject([{ code: 'TOO_EARLY', message: expect.stringContaining('use it in resolvers only') }])
  })
})

describe('a plugin that cannot boot', () => {
  const failing = (options: { onBootFailure?: 'abort' | 'continue' }) =>
    definePlugin({
      ...basis,
      name: 'weather',
      provides: () => [[FeedToken, { latest: () => 1 }]],
      graphql: (builder) => builder.queryField('weather', (t) => t.int({ resolve: () => 1 })),
      start: () => {
        throw new Error('no antenna')
      },
    })({}, options)

  it('ends the start, after all that had started was stopped', async () => {
    const story: string[] = []
    await expect(start([recorder('a', {}, story), failing({}), recorder('b', {}, story)])).rejects.toThrow(
      'plugin "weather": could not start: no antenna; see the log',
    )
    expect(story).toEqual(['provide a', 'provide b', 'start a', 'drain a', 'stop a'])
  })

  it('is left out if it may be, with what needs it, and nothing else', async () => {
    const story: string[] = []
    const needy = definePlugin({ ...basis, name: 'needy', dependsOn: { weather: '*' } })(
      {},
      { onBootFailure: 'continue' },
    )
    const host = await start([failing({ onBootFailure: 'continue' }), recorder('a', { '?weather': '*' }, story), needy])
    const states = host.node.plugins.map(({ name, status, error }) => [name, status, error])
    expect(states).toEqual([
      ['root', 'RUNNING', null],
      ['weather', 'FAILED', expect.stringContaining('no antenna')],
      ['a', 'RUNNING', null],
      ['needy', 'FAILED', expect.stringContaining('needs plugin "weather", which failed')],
    ])
    expect(await host.execute('{ one }')).toEqual({ data: { one: 1 } })
    expect(await host.node.plugins[1]?.health()).toMatchObject({ ok: false })
  })

  it('ends the start of one that needs it and has no such leave', async () => {
    const needy = definePlugin({ ...basis, name: 'needy', dependsOn: { weather: '*' } })()
    await expect(start([failing({ onBootFailure: 'continue' }), needy])).rejects.toThrow(
      'plugin "needy": needs plugin "weather", which failed',
    )
  })

  it('is named when it provides what another provides, or requires what none does', async () => {
    const provider = (name: string) =>
      definePlugin({ ...basis, name, provides: () => [[FeedToken, { latest: () => 1 }]] })()
    await expect(start([provider('weather'), provider('rival')])).rejects.toThrow(
      'plugin "rival": provides weather.feed, as plugin "weather" does; remove one of the two',
    )
    const lazy = definePlugin({ ...basis, name: 'weather' })()
    const user = definePlugin({ ...basis, name: 'user', dependsOn: { weather: '*' }, requires: { feed: FeedToken } })()
    await expect(start([lazy, user])).rejects.toThrow(
      'plugin "user": requires weather.feed, which no plugin provides; use a version of plugin "weather" that provides it',
    )
    const modest = definePlugin({
      ...basis,
      name: 'modest',
      dependsOn: { weather: '*' },
      requires: { feed: optional(FeedToken) },
      graphql: (builder, host) =>
        builder.queryField('hasFeed', (t) => t.boolean({ resolve: () => host.use.feed !== undefined })),
    })()
    expect(await (await start([lazy, modest])).execute('{ hasFeed }')).toEqual({ data: { hasFeed: false } })
  })
})

describe('a plugin that hangs', () => {
  const never = new Promise<void>(() => undefined)
  const bounds = { ...BOUNDS, start: 50, drain: 50, stop: 50 }

  it('is named when it does not start', async () => {
    const hanging = definePlugin({ ...basis, name: 'slow', start: () => never })()
    await expect(start([hanging], { bounds })).rejects.toThrow('plugin "slow": start did not finish within 0.05 s')
  })

  it('does not keep the node from stopping, nor the others from being stopped', async () => {
    const story: string[] = []
    const messages: unknown[] = []
    const note = (fields: unknown) => void messages.push(fields)
    const log = { debug: note, info: note, warn: note, error: note, child: () => log }
    const hanging = definePlugin({ ...basis, name: 'slow', drain: () => never, stop: () => never })()
    const host = await createTestHost({ plugins: [root, recorder('a', {}, story), hanging], bounds, log })
    await host.stop()
    expect(story).toEqual(['provide a', 'start a', 'drain a', 'stop a'])
    const hung = (step: string) => ({
      plugin: 'slow',
      error: expect.objectContaining({ message: `plugin "slow": ${step} did not finish within 0.05 s` }),
    })
    expect(messages).toEqual(expect.arrayContaining([hung('drain'), hung('stop')]))
  })
})
