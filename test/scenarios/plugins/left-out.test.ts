import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { definePlugin, type PluginDefinition, type PluginOptions } from '../../../server/plugin.ts'
import type { TestHost, TestHostOptions } from '../../../server/testing/index.ts'
import { basis, entries, faulty, plain, refused, start } from './faulty.ts'

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
