import { readFileSync } from 'node:fs'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { pluginManifest, TOOLS } from './plugin-manifest.ts'
import { pluginName, renamed } from './plugin-name.ts'

const own = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

describe('the package.json of a new plugin', () => {
  it('asks for the versions that this package is made and tested with', () => {
    for (const [tool, range] of Object.entries(TOOLS))
      expect([tool, semver.satisfies(own.devDependencies[tool], range)]).toEqual([tool, true])
    const { name, peerDependencies, deaios } = JSON.parse(pluginManifest('solar_wind', { 'deaios-sun': '^2.0.0' }))
    expect(name).toBe('deaios-solar-wind')
    expect(Object.keys(peerDependencies)).toEqual(['deaios', 'deaios-sun', 'zod'])
    expect(semver.satisfies(own.version, peerDependencies.deaios)).toBe(true)
    expect(semver.satisfies(own.dependencies.zod, peerDependencies.zod)).toBe(true)
    expect(deaios).toEqual({ api: '^1.0.0' })
  })
})

describe('the name of a new plugin', () => {
  it('takes the place of the example’s, in every way of writing', () => {
    const text = "const journalEntries: Journal[] = read('journal.written') // journals, aJournalOf"
    expect(renamed(text, pluginName('journal'), pluginName('solar_wind'))).toBe(
      "const solarWindEntries: SolarWind[] = read('solar_wind.written') // journals, aSolarWindOf",
    )
  })

  it.each(['', 'Weather', 'my-plugin', '1st', '_x', 'x_', 'a__b', '../up', 'x'.repeat(41)])('is not "%s"', (name) => {
    expect(() => pluginName(name)).toThrow(/cannot name a plugin/)
  })
})
