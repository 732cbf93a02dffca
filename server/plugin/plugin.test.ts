import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { definePlugin, type Events, extensionPoint, optional, type Sql, service, topic, typeRef } from '../plugin.ts'

interface Feed {
  latest(): number
  readonly unit: 'C' | 'F'
}
interface Ledger {
  height(): bigint
}
const FeedToken = service<Feed>('weather.feed')
const LedgerToken = service<Ledger>('execution.ledger')
const Modules = extensionPoint<{ readonly call: string; readonly gas: number }>('execution.modules')
const Reported = topic('weather.reported', z.object({ celsius: z.number(), station: z.string() }))

describe('a plugin definition', () => {
  it('types host.config and host.use from config and requires', () => {
    const weather = definePlugin({
      name: 'weather',
      version: '1.0.0',
      api: '^1.0.0',
      config: z.object({ feed: z.url(), everySeconds: z.int().default(60) }),
      requires: { ledger: LedgerToken, other: optional(FeedToken) },
      contributes: [[Modules, { call: 'report', gas: 3 }]],
      topics: [Reported],
      provides: (host) => [[FeedToken, { latest: () => host.config.everySeconds, unit: 'C' }]],
      start(host) {
        expectTypeOf(host.config).toEqualTypeOf<{ feed: string; everySeconds: number }>()
        expectTypeOf(host.use.ledger).toEqualTypeOf<Ledger>()
        expectTypeOf(host.use.other).toEqualTypeOf<Feed | undefined>()
        expectTypeOf(host.own(FeedToken)).toEqualTypeOf<Feed>()
        // @ts-expect-error: this key is not in the config
        host.config.feeed
        // @ts-expect-error: this service is not in requires
        host.use.blobs
      },
    })
    const configured = weather({ feed: 'https://weather.test' })
    expect(configured.config).toEqual({ feed: 'https://weather.test' })
    expect(configured.definition).toBe(weather.definition)
    // @ts-expect-error: a required key is missing
    weather({})
    // @ts-expect-error: the config is required
    weather()
    // @ts-expect-error: an unknown key
    weather({ feed: 'https://weather.test', every: 1 })
    // @ts-expect-error: a value of the wrong type
    weather({ feed: 1 })
    // @ts-expect-error: not a policy
    weather({ feed: 'https://weather.test' }, { onBootFailure: 'ignore' })
  })

  it('asks for no config where all keys have defaults, or where there is none', () => {
    const base = { version: '1.0.0', api: '^1.0.0' }
    const defaults = definePlugin({ ...base, name: 'a', config: z.object({ shards: z.int().default(2) }) })
    expect(defaults().config).toEqual({})
    expect(defaults({ shards: 4 }).config).toEqual({ shards: 4 })
    const none = definePlugin({ ...base, name: 'b' })
    expect(none().config).toEqual({})
    // @ts-expect-error: it has no such key
    none({ shards: 4 })
  })

  it('refuses an implementation that is not of the token’s type', () => {
    const base = { name: 'weather', version: '1.0.0', api: '^1.0.0' }
    definePlugin({
      ...base,
      // @ts-expect-error: latest() gives a number
      provides: () => [[FeedToken, { latest: () => 'mild', unit: 'C' }]],
    })
    definePlugin({
      ...base,
      // @ts-expect-error: a member is missing
      provides: () => [[FeedToken, { unit: 'C' }]],
    })
    definePlugin({
      ...base,
      // @ts-expect-error: the second of two pairs is wrong
      provides: () => [
        [LedgerToken, { height: () => 1n }],
        [FeedToken, { height: () => 1n }],
      ],
    })
    definePlugin({
      ...base,
      // @ts-expect-error: the contribution lacks gas
      contributes: [[Modules, { call: 'report' }]],
    })
    definePlugin({
      ...base,
      // @ts-expect-error: a topic is not a service
      requires: { feed: Reported },
    })
  })

  it('refuses a payload that is not of the topic’s type', () => {
    const publish = (events: Events, sql: Sql) => {
      events.publish(sql, Reported, { celsius: 1, station: 'Oslo' })
      // @ts-expect-error: a field is missing
      events.publish(sql, Reported, { celsius: 1 })
      // @ts-expect-error: a field is of the wrong type
      events.publish(sql, Reported, { celsius: '1', station: 'Oslo' })
      // @ts-expect-error: an unknown field
      events.publish(sql, Reported, { celsius: 1, station: 'Oslo', wind: 2 })
    }
    expectTypeOf(publish).toBeFunction()
    const read = async (events: Events) => {
      for await (const event of events.subscribe(Reported))
        expectTypeOf(event.payload).toEqualTypeOf<{ celsius: number; station: string }>()
    }
    expectTypeOf(read).toBeFunction()
  })
})

describe('a token', () => {
  it('is frozen, and names its plugin', () => {
    expect(Object.isFrozen(FeedToken)).toBe(true)
    expect(typeRef<Feed>('Feed')).toEqual({ kind: 'type', name: 'Feed' })
    expect(Reported.retention).toBe('forever')
  })

  it('says how to write an id that is not one', () => {
    expect(() => service('feed')).toThrow('"feed" is not a token id; write it as <plugin>.<name>')
  })
})
