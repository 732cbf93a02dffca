/** Wrong use that must not compile: `tsc`, which `npm test` runs, fails if one of the marked lines does. */
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { Builder } from '../../schema/index.ts'
import {
  bytes,
  continuous,
  cron,
  definePlugin,
  extensionPoint,
  follow,
  type Host,
  type Metrics,
  peerCall,
  queue,
  type Sql,
  service,
  topic,
  typeRef,
} from '../plugin.ts'
import { createTestHost } from '../testing/index.ts'

interface Feed {
  latest(city: string): number
}
interface Model {
  readonly name: string
  guess(city: string): number
}
const FeedToken = service<Feed>('weather.feed')
const Models = extensionPoint<Model>('weather.models', { unique: { what: 'model', of: ({ name }) => name } })
const Reported = topic('weather.reported', z.object({ station: bytes(32), celsius: z.int() }))
const Station = typeRef<{ readonly id: string; readonly height: number }>('Station')
const Warn = peerCall<{ readonly city: string }, number>('watch', 'warn')
const basis = { name: 'weather', version: '1.0.0', api: '^1.0.0' }

/** What is only looked at by the compiler. */
const compiled = (code: unknown): void => void expectTypeOf(code)

describe('what stands beside a token has its type', () => {
  it('in contributions, services and fakes', () => {
    definePlugin({ ...basis, contributes: [[Models, { name: 'coin', guess: (city) => city.length }]] })
    definePlugin({
      ...basis,
      // @ts-expect-error: a model has a name
      contributes: [[Models, { guess: (city) => city.length }]],
    })
    definePlugin({
      ...basis,
      // @ts-expect-error: a model guesses numbers
      contributes: [[Models, { name: 'coin', guess: (city) => city }]],
    })
    definePlugin({
      ...basis,
      // @ts-expect-error: nothing is contributed to a service
      contributes: [[FeedToken, { latest: () => 1 }]],
    })
    definePlugin({
      ...basis,
      // @ts-expect-error: a feed gives numbers
      provides: () => [[FeedToken, { latest: (city) => city }]],
    })
    compiled(() => createTestHost({ plugins: [], fakes: [[FeedToken, { latest: (city) => city.length }]] }))
    compiled(() => createTestHost({ plugins: [], fakes: [[FeedToken, {}]] }))
    compiled(() =>
      // @ts-expect-error: a feed has no such member
      createTestHost({ plugins: [], fakes: [[FeedToken, { newest: () => 1 }]] }),
    )
  })
})

describe('jobs', () => {
  const host = {} as { readonly [K in keyof Host]: Host[K] }
  const send = queue({ name: 'send', input: z.object({ to: z.string() }), run: ({ data }) => void data.to.length })

  it('know their data', () => {
    queue({
      name: 'send',
      input: z.object({ to: z.string() }),
      run: ({ data }) => {
        // @ts-expect-error: the input has no such key
        data.from
      },
    })
    cron({
      name: 'tidy',
      schedule: '0 4 * * *',
      run: ({ data }) => {
        expectTypeOf(data).toEqualTypeOf<undefined>()
      },
    })
    compiled((sql: Sql) => host.jobs.enqueue(sql, send, { to: 'Ann' }, { key: 'a', delay: 3 }))
    compiled((sql: Sql) =>
      // @ts-expect-error: the data lacks a key
      host.jobs.enqueue(sql, send, {}),
    )
    compiled((sql: Sql) =>
      // @ts-expect-error: the data is of another type
      host.jobs.enqueue(sql, send, { to: 1 }),
    )
    compiled((sql: Sql) =>
      // @ts-expect-error: only queue jobs are told anything
      host.jobs.enqueue(sql, cron({ name: 'tidy', schedule: '* * * * *', run: () => undefined }), undefined),
    )
  })

  it('know their host, where they are listed by a function of it', () => {
    definePlugin({
      ...basis,
      config: z.object({ city: z.string() }),
      requires: { feed: FeedToken },
      jobs: (own) => [
        continuous({
          name: 'watch',
          scope: 'leader',
          run: ({ fence }) => {
            expectTypeOf(fence).toEqualTypeOf<bigint>()
            expectTypeOf(own.use.feed.latest(own.config.city)).toEqualTypeOf<number>()
            // @ts-expect-error: this service is not required
            own.use.blobs
            // @ts-expect-error: this key is not in the config
            own.config.town
          },
        }),
        follow({
          name: 'index',
          topic: Reported,
          apply: ({ payload }, tx) => {
            expectTypeOf(payload).toEqualTypeOf<{ station: Uint8Array; celsius: number }>()
            // @ts-expect-error: the payload has no such key
            payload.fahrenheit
            return tx`SELECT ${payload.celsius}`
          },
        }),
      ],
    })
    const run = (_run: unknown, own: Host<{ city: number }>): void => own.log.info(String(own.config.city))
    definePlugin({
      ...basis,
      config: z.object({ city: z.string() }),
      // @ts-expect-error: this job wants another config
      jobs: [cron({ name: 'tidy', schedule: '* * * * *', run })],
    })
    // @ts-expect-error: not a scope
    continuous({ name: 'watch', scope: 'everywhere', run: () => undefined })
    // @ts-expect-error: a cron job has a schedule
    cron({ name: 'tidy', run: () => undefined })
  })
})

describe('metrics', () => {
  it('are told their labels, all of them and no others', () => {
    compiled((metrics: Metrics) => {
      const plain = metrics.counter({ name: 'readings_total', help: 'Readings.' })
      plain.add(1)
      // @ts-expect-error: it has no labels
      plain.add(1, { city: 'Bern' })
      const labelled = metrics.histogram({ name: 'lag_seconds', help: 'Lag.', labels: ['city'], buckets: [1] })
      labelled.observe(1, { city: 'Bern' })
      // @ts-expect-error: the label is missing
      labelled.observe(1)
      // @ts-expect-error: not its label
      labelled.observe(1, { town: 'Bern' })
      // @ts-expect-error: buckets are missing
      metrics.histogram({ name: 'lag_seconds', help: 'Lag.' })
      // @ts-expect-error: a counter is not set
      plain.set(1)
    })
  })
})

describe('types and fields', () => {
  it('know the shape of their parents, and what they resolve to', () => {
    compiled((builder: Builder, host: Host) => {
      builder.objectField(builder.refOf(Station), 'name', (t) => t.string({ resolve: ({ id }) => id }))
      builder.objectField(builder.refOf(Station), 'depth', (t) =>
        // @ts-expect-error: a station has no depth
        t.int({ resolve: ({ depth }) => depth }),
      )
      builder.objectField(builder.refOf(Station), 'height', (t) =>
        // @ts-expect-error: a number is not text
        t.string({ resolve: ({ height }) => height }),
      )
      builder.queryField('station', (t) =>
        // @ts-expect-error: a station has a height
        t.field({ type: builder.refOf(Station), resolve: () => ({ id: 'a' }) }),
      )
      // @ts-expect-error: a topic is not a type
      builder.refOf(Reported)
      builder.subscriptionField('reported', (t) =>
        t.int({
          subscribe: (_root, _args, { signal }) => host.events.subscribe(Reported, { signal }),
          // @ts-expect-error: the payload has no such key
          resolve: ({ payload }) => payload.fahrenheit,
        }),
      )
    })
  })
})

describe('routes and peers', () => {
  it('are held to what they promise', () => {
    definePlugin({
      ...basis,
      http: () => [{ method: 'GET', path: '/now', handle: ({ params }) => new Response(params.city) }],
    })
    definePlugin({
      ...basis,
      // @ts-expect-error: a route answers with a response
      http: () => [{ method: 'GET', path: '/now', handle: () => 'mild' }],
    })
    definePlugin({
      ...basis,
      // @ts-expect-error: not a method that plugins serve
      http: () => [{ method: 'TRACE', path: '/now', handle: () => new Response() }],
    })
    compiled(async (host: Host, signal: AbortSignal) => {
      host.peers.serve(Warn, signal, ({ city }) => city.length)
      // @ts-expect-error: the answer is a number
      host.peers.serve(Warn, signal, ({ city }) => city)
      expectTypeOf(await host.peers.call(Warn, { city: 'Bern' })).toEqualTypeOf<number>()
      // @ts-expect-error: the input lacks a key
      await host.peers.call(Warn, {})
    })
  })
})
