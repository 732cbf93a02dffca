import { afterEach, expect } from 'vitest'
import { BOUNDS } from '../../../server/host/bounded.ts'
import {
  definePlugin,
  type Log,
  type PluginDefinition,
  type PluginOptions,
  service,
  typeRef,
} from '../../../server/plugin.ts'
import { createTestHost, type TestHost, type TestHostOptions } from '../../../server/testing/index.ts'

/** What every plugin says of itself. */
export const basis = { version: '1.0.0', api: '^1.0.0' }
/** Nobody waits long for what hangs. */
export const bounds = { ...BOUNDS, start: 100, drain: 100, stop: 100 }

interface Entry {
  readonly message: string
  readonly plugin?: unknown
  readonly [field: string]: unknown
}
/** What was logged in this test. */
export const entries: Entry[] = []
export const logOf = (fields: Record<string, unknown>): Log => {
  const line = (first: string | Record<string, unknown>, message?: string) =>
    void entries.push(
      typeof first === 'string' ? { ...fields, message: first } : { ...fields, ...first, message: message ?? '' },
    )
  return { debug: line, info: line, warn: line, error: line, child: (more) => logOf({ ...fields, ...more }) }
}

/** What goes on serving, whatever another plugin does. */
export const bystander = definePlugin({
  ...basis,
  name: 'bystander',
  graphql: (builder) => builder.queryField('fine', (t) => t.string({ nullable: false, resolve: () => 'still here' })),
})()

interface Forecast {
  readonly id: string
}
const ForecastType = typeRef<Forecast>('Forecast')
export const Feed = service<{ latest(): number }>('weather.feed')

/** A plugin with a type, fields, a stream and a service, and with a fault. */
export const faulty = (fault: Partial<PluginDefinition>, options: PluginOptions = { onBootFailure: 'continue' }) =>
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
/** A node with the plugin and a bystander, until the end of the test. */
export const start = async (
  plugin: ReturnType<typeof faulty>,
  more: Partial<TestHostOptions> = {},
): Promise<TestHost> => {
  const plugins = [bystander, plugin, ...(more.plugins ?? [])]
  const host = await createTestHost({ bounds, log: logOf({}), ...more, plugins })
  hosts.push(host)
  return host
}
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
  entries.length = 0
})

/** What a field of the plugin is answered with while it is out of service. */
export const refused = (...path: (string | number)[]) =>
  expect.objectContaining({
    path,
    extensions: { code: 'PLUGIN_FAILED', plugin: 'weather' },
    message: expect.stringContaining('Plugin "weather" is out of service'),
  })
/** Graphql makes objects without a prototype. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
