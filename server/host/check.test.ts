import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type ConfiguredPlugin,
  definePlugin,
  extensionPoint,
  type HttpRoute,
  optional,
  service,
  topic,
} from '../plugin.ts'
import { checkPlugins } from './check.ts'
import { PluginError } from './errors.ts'

const basis = { version: '1.0.0', api: '^1.0.0' }
const plain = (name: string, dependsOn: Record<string, string> = {}, version = '1.0.0') =>
  definePlugin({ ...basis, name, version, dependsOn })()
const Feed = service<{ latest(): number }>('weather.feed')
const Sources = extensionPoint<string>('weather.sources')
const Stations = extensionPoint<{ readonly name: string }>('weather.stations', {
  unique: { what: 'weather station', of: ({ name }) => name },
})
const Reported = topic('weather.reported', z.object({}))
const configured = definePlugin({
  ...basis,
  name: 'weather',
  config: z.object({
    everySeconds: z.int().min(1).default(60),
    stations: z.array(z.object({ id: z.string() })).default([]),
  }),
}).definition
const withConfig = (config: unknown): ConfiguredPlugin => ({
  kind: 'plugin',
  definition: configured,
  config,
  options: {},
})

const route = (path: string): HttpRoute => ({ method: 'GET', path, handle: () => new Response() })
const withRoutes = (name: string, ...http: readonly HttpRoute[]): ConfiguredPlugin =>
  definePlugin({ ...basis, name, http })()

function problemsOf(plugins: readonly ConfiguredPlugin[]): readonly string[] {
  try {
    checkPlugins(plugins)
    return []
  } catch (error) {
    if (error instanceof PluginError)
      return error.problems.map(({ code, plugin, problem, mend }) => `${code} ${plugin}: ${problem}; ${mend}`)
    throw error
  }
}

describe('a problem with plugins is named with its plugin and its remedy', () => {
  it.each<[string, readonly ConfiguredPlugin[], string]>([
    [
      'an api that is older',
      [definePlugin({ ...basis, name: 'old', api: '^0.9.0' })()],
      'API_RANGE old: needs plugin API ^0.9.0, and this server offers 1.0.0; use a newer version of old',
    ],
    [
      'an api that is newer',
      [definePlugin({ ...basis, name: 'new', api: '^2.0.0' })()],
      'API_RANGE new: needs plugin API ^2.0.0, and this server offers 1.0.0; use a newer version of deaios',
    ],
    [
      'an api that is no range',
      [definePlugin({ ...basis, name: 'odd', api: 'one' })()],
      'API_RANGE odd: has api "one"; write a range like ^1.0.0',
    ],
    [
      'a version that is none',
      [plain('odd', {}, '1.0')],
      'VERSION_INVALID odd: has version "1.0"; write it like 1.2.0',
    ],
    [
      'a dependency that is not there',
      [plain('weather', { execution: '^1.0.0' })],
      'DEPENDENCY_MISSING weather: depends on plugin "execution", which is not there; add execution to plugins in deaios.config.ts',
    ],
    [
      'a dependency that is too old',
      [plain('weather', { execution: '^2.1.0' }), plain('execution', {}, '2.0.9')],
      'DEPENDENCY_RANGE weather: depends on execution ^2.1.0, and 2.0.9 is there; use a newer version of execution',
    ],
    [
      'a dependency that is too new, even if it may be absent',
      [plain('weather', { '?execution': '^2.1.0' }), plain('execution', {}, '3.0.0')],
      'DEPENDENCY_RANGE weather: depends on execution ^2.1.0, and 3.0.0 is there; use a newer version of weather, or an older one of execution',
    ],
    [
      'a dependency on no range',
      [plain('weather', { execution: 'latest' }), plain('execution')],
      'DEPENDENCY_RANGE weather: depends on execution "latest"; write a range like ^1.0.0',
    ],
    [
      'a cycle',
      [plain('x'), plain('a', { b: '*' }), plain('b', { '?c': '*' }), plain('c', { a: '*', x: '*' })],
      'DEPENDENCY_CYCLE a: depends on itself: a -> b -> c -> a; make one of these dependencies unnecessary, for example by an extension point',
    ],
    [
      'a plugin twice',
      [plain('weather'), plain('weather')],
      'DUPLICATE_PLUGIN weather: is listed twice; remove one of the two from deaios.config.ts',
    ],
    ['a name that is reserved', [plain('core')], 'NAME_INVALID core: has a reserved name; choose another'],
    [
      'a name that is no name',
      [plain('My-Plugin')],
      'NAME_INVALID My-Plugin: has a name that cannot be a Postgres schema; use a-z, 0-9 and _, 40 at most',
    ],
    [
      'a service of a plugin that it does not depend on',
      [definePlugin({ ...basis, name: 'report', requires: { feed: Feed } })(), plain('weather')],
      'DEPENDENCY_UNDECLARED report: requires weather.feed, and does not depend on weather; add weather (or ?weather, if it may be absent) to dependsOn',
    ],
    [
      'a contribution to a plugin that it does not depend on',
      [definePlugin({ ...basis, name: 'report', contributes: [[Sources, 'x']] })()],
      'DEPENDENCY_UNDECLARED report: contributes to weather.sources, and does not depend on weather; add weather (or ?weather, if it may be absent) to dependsOn',
    ],
    [
      'what another plugin contributes by the same name',
      [
        definePlugin({
          ...basis,
          name: 'one',
          dependsOn: { weather: '*' },
          contributes: [[Stations, { name: 'roof' }]],
        })(),
        definePlugin({
          ...basis,
          name: 'two',
          dependsOn: { weather: '*' },
          contributes: [[Stations, { name: 'roof' }]],
        })(),
        plain('weather'),
      ],
      'DUPLICATE_CONTRIBUTION two: contributes the weather station "roof", as plugin "one" does; rename it',
    ],
    [
      'what it contributes twice',
      [
        definePlugin({
          ...basis,
          name: 'weather',
          contributes: [
            [Stations, { name: 'roof' }],
            [Stations, { name: 'cellar' }],
            [Stations, { name: 'roof' }],
          ],
        })(),
      ],
      'DUPLICATE_CONTRIBUTION weather: contributes the weather station "roof" twice; remove one of the two',
    ],
    [
      'a topic of two plugins',
      [
        definePlugin({ ...basis, name: 'weather', topics: [Reported] })(),
        definePlugin({ ...basis, name: 'rival', topics: [Reported] })(),
      ],
      'DUPLICATE_TOPIC rival: declares topic weather.reported, as plugin "weather" does; rename it',
    ],
    [
      'a topic that is named after another plugin',
      [definePlugin({ ...basis, name: 'report', topics: [Reported] })()],
      "TOPIC_FOREIGN report: declares topic weather.reported; a plugin's topics are named after it: report.reported",
    ],
    [
      'a route of two plugins, whatever its names are called',
      [withRoutes('weather', route('/map/:city')), withRoutes('rival', route('/map/:place'))],
      'DUPLICATE_ROUTE rival: route GET /map/:place is a route of plugin "weather" too; change its path, for example to /rival/map/:place',
    ],
    [
      'a route twice',
      [withRoutes('weather', route('/map'), route('/map'))],
      'DUPLICATE_ROUTE weather: route GET /map is listed twice; change its path, for example to /weather/map',
    ],
    [
      "a route that is the server's own",
      [withRoutes('weather', route('/graphql/admin'))],
      "ROUTE_INVALID weather: route GET /graphql/admin has a path that is the server's own; choose another than /graphql, /healthz, /readyz, /metrics and below",
    ],
    [
      'a route with a path that is none',
      [withRoutes('weather', route('/map/(unclosed'))],
      'ROUTE_INVALID weather: route GET /map/(unclosed has a path that cannot be used; write it like /weather/:id.png',
    ],
    [
      'a route with a body without bound',
      [withRoutes('weather', { ...route('/map'), maxBodyBytes: Infinity })],
      'ROUTE_INVALID weather: route GET /map has maxBodyBytes: Infinity; give a whole number from 0 to 1073741824',
    ],
    [
      'a route with a scope that is none',
      [withRoutes('weather', { ...route('/map'), scope: 'Read Weather' })],
      'ROUTE_INVALID weather: route GET /map asks for the scope "Read Weather"; name it like "weather:read"',
    ],
    [
      'routes that touch the database before there is one',
      [
        definePlugin({
          ...basis,
          name: 'weather',
          http: (host) => {
            host.sql
            return []
          },
        })(),
      ],
      'ROUTE_INVALID weather: cannot list its routes: host.sql was touched before the node runs; in graphql(), use it in resolvers only; use services and host.sql only inside `handle`',
    ],
    [
      'a config key that is misspelt',
      [withConfig({ everySecond: 5 })],
      'CONFIG_INVALID weather: config everySecond: there is no such key; did you mean everySeconds?; correct it in deaios.config.ts',
    ],
    [
      'a config key that is unknown, further in',
      [withConfig({ stations: [{ id: 'a' }, { id: 'b', altitude: 3 }] })],
      'CONFIG_INVALID weather: config stations[1].altitude: there is no such key; known keys are id; correct it in deaios.config.ts',
    ],
    [
      'a config value that is out of range',
      [withConfig({ everySeconds: 0 })],
      'CONFIG_INVALID weather: config everySeconds: Too small: expected number to be >=1; correct it in deaios.config.ts',
    ],
    [
      'a config for a plugin that takes none',
      [{ ...plain('weather'), config: { x: 1 } }],
      'CONFIG_INVALID weather: config x: there is no such key; it takes no keys; correct it in deaios.config.ts',
    ],
  ])('%s', (_what, plugins, expected) => {
    expect(problemsOf(plugins)).toEqual([expected])
  })

  it('together with all others, in one error', () => {
    const plugins = [plain('core', { gone: '*' }), withConfig({ everySeconds: 'x', more: 1 })]
    expect(() => checkPlugins(plugins)).toThrow(/^4 problems\n {2}plugin "core": has a reserved name.*\n(.*\n)+.*more/)
  })
})

describe('plugins that fit together', () => {
  it('are sorted by what they depend on, and else keep their order', () => {
    const plugins = [plain('a', { c: '*' }), plain('b'), plain('c', { '?d': '*', '?none': '*' }), plain('d')]
    expect(checkPlugins(plugins).map(({ definition }) => definition.name)).toEqual(['d', 'c', 'a', 'b'])
  })

  it('have their config parsed, and may use what may be absent', () => {
    const report = definePlugin({
      ...basis,
      name: 'report',
      dependsOn: { '?weather': '*' },
      requires: { feed: optional(Feed) },
      contributes: [[Sources, 'x']],
    })
    expect(checkPlugins([withConfig({}), report()]).map(({ config }) => config)).toEqual([
      { everySeconds: 60, stations: [] },
      {},
    ])
  })
})
