/** A plugin that does a bit of everything, and keeps to its contract. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { keysetCursor, pageCost, resolvePage } from '../../schema/index.ts'
import { continuous, cron, definePlugin, optional, queue, service, topic } from '../plugin.ts'
import { pluginContract } from './index.ts'

interface Feed {
  latest(): number
}
const FeedToken = service<Feed>('sky.feed')
const Measured = topic('weather.measured', z.object({ celsius: z.int() }))
const byNumber = keysetCursor('number', z.tuple([z.int()]), (n: number) => [n])

const weather = definePlugin({
  name: 'weather',
  version: '1.0.0',
  api: '^1.0.0',
  dependsOn: { sky: '^2.0.0', '?moon': '^1.0.0' },
  requires: { feed: FeedToken, moon: optional(service<Feed>('moon.feed')) },
  topics: [Measured],
  jobs: (host) => [
    queue({
      name: 'measure',
      input: z.object({ times: z.int() }),
      run: async ({ data, signal }) => {
        for (let n = 0; n < data.times; n++) await sleep(10_000, undefined, { signal })
      },
    }),
    cron({ name: 'tidy', schedule: '0 4 * * *', run: () => undefined }),
    continuous({
      name: 'watch',
      scope: 'replica',
      run: async ({ signal }) => {
        while (!signal.aborted) await host.clock.sleep(host.use.feed.latest(), signal).catch(() => undefined)
      },
    }),
  ],
  graphql(builder, host) {
    const measured = builder.objectRef<{ cursor: string; payload: { celsius: number } }>('Measured').implement({
      fields: (t) => ({
        cursor: t.expose('cursor', { type: 'Cursor' }),
        celsius: t.int({ resolve: ({ payload }) => payload.celsius }),
      }),
    })
    builder.queryFields((t) => ({
      seasons: t.stringList({ complexity: { field: 1, multiplier: 4 }, resolve: () => ['spring', 'summer'] }),
      numbers: t.field({
        type: builder.connectionOf(
          builder.objectRef<number>('Number').implement({ fields: (f) => ({ n: f.int({ resolve: (n) => n }) }) }),
        ),
        args: { ...builder.forwardPageArgs },
        complexity: pageCost,
        resolve: (_root, page) =>
          resolvePage(page, byNumber, ({ after, limit }) =>
            Array.from({ length: limit }, (_, n) => n + (after?.[0] ?? 0) + 1),
          ),
      }),
    }))
    builder.subscriptionFields((t) => ({
      measured: t.field({
        type: measured,
        args: { after: t.arg({ type: 'Cursor' }), above: t.arg.int({ required: true }) },
        subscribe: (_root, { after }, { signal }) => host.events.subscribe(Measured, { after, signal }),
        resolve: (event) => event,
      }),
      // One that cannot be resumed is not asked to be.
      newest: t.int({
        subscribe: (_root, _args, { signal }) => host.events.subscribe(Measured, { signal }),
        resolve: ({ payload }) => payload.celsius,
      }),
    }))
  },
})

pluginContract(weather(), {
  fakes: [[FeedToken, { latest: () => 1000 }]],
  work: { measure: { times: 3 } },
  subscriptions: { measured: { cause: (host, n) => host.publish(Measured, { celsius: n }), arguments: 'above: -300' } },
})
