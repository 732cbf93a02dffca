import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { counter } from '../fixtures/counter.ts'
import { counter2 } from '../fixtures/counter-2.ts'
import { account } from '../modules/account.ts'
import { encodeModuleEntry, type ModuleEntry, moduleKey } from '../root/exports.ts'
import { RootView } from '../root/root-view.ts'
import { loadModules, sourcesOf } from './load-modules.ts'
import { call, ledgerModule } from './module.ts'
import { ModuleLibrary } from './module-library.ts'
import { lackOf, moduleSchedule, mustHaveModules } from './module-schedule.ts'
import { moduleStates } from './module-states.ts'

const view = (entries: Record<string, ModuleEntry>): RootView =>
  RootView.EMPTY.with(Object.entries(entries).map(([name, entry]) => [moduleKey(name), encodeModuleEntry(entry)]))

/** Version 1 of both from the start, version 2 of the counter from root height 50 on. */
const switching = view({
  account: [[account.version, 0]],
  counter: [
    [1, 0],
    [2, 50],
  ],
})
const both = new ModuleLibrary([account, counter, counter2])
const onlyFirst = new ModuleLibrary([account, counter])

describe('a node’s ledger modules', () => {
  it('may be several versions of one, but not one version twice', () => {
    expect(both.get('counter', 2)).toBe(counter2)
    expect(() => new ModuleLibrary([counter, counter2, counter])).toThrow(
      expect.objectContaining({ code: 'MODULE_SET', message: expect.stringContaining('version 1 of "counter"') }),
    )
  })

  it('have names and versions that the ledger can write', () => {
    for (const [name, version] of [
      ['my module', 1],
      ['Counter', 1],
      ['counter', 0],
      ['counter', 1.5],
    ] as const)
      expect(() => new ModuleLibrary([{ ...counter, name, version }])).toThrow('a whole number from 1')
  })

  it('give each block the calls of its root height', () => {
    const before = both.registryAt(switching, 49)
    const after = both.registryAt(switching, 50)
    expect(before.get('counter.add')?.module.version).toBe(1)
    expect(after.get('counter.add')?.module.version).toBe(2)
    expect([before.get('counter.reset'), after.get('counter.bounceOff')]).toEqual([undefined, undefined])
    expect(both.registryAt(switching, 0)).toBe(before)
    expect(both.registryAt(switching, 1_000_000)).toBe(after)
  })

  it('are not known to blocks while the network does not use them', () => {
    const without = view({ account: [[account.version, 0]] })
    expect(both.registryAt(without, 10).get('counter.add')).toBeUndefined()
    expect(lackOf(both, without, 10)).toBeUndefined()
  })

  it('are missed by name and version, as soon as the network will use them', () => {
    expect(moduleSchedule(switching, 10).map(({ from }) => from)).toEqual([10, 50])
    expect(lackOf(both, switching, 10)).toBeUndefined()
    expect(lackOf(onlyFirst, switching, 10)).toEqual({
      from: 50,
      message: expect.stringMatching(/^from root height 50 on .* version 2 of the ledger module "counter".* has 1:/),
    })
    expect(lackOf(onlyFirst, switching, 0, 49)).toBeUndefined()
    expect(() => mustHaveModules(onlyFirst, switching, 60)).toThrow(/^the network uses version 2 .*"counter"/)
    expect(() => mustHaveModules(new ModuleLibrary([account]), switching, 10)).toThrow(/"counter".* add its plugin/)
    expect(() => onlyFirst.registryAt(switching, 50)).toThrow(expect.objectContaining({ code: 'MODULE_SET' }))
  })

  it('are shown with what the network makes of them', () => {
    const later = ledgerModule('later', {
      url: import.meta.url,
      version: 1,
      home: 'shard',
      calls: {
        go: call({ args: z.strictObject({}), weight: () => 1n, sends: { 'nobody.there': 1 }, apply: () => undefined }),
      },
    })
    const states = (library: ModuleLibrary, height: number) =>
      moduleStates(library, switching, height).map(({ name, version, status, problem }) => [
        `${name} ${version} ${status}`,
        problem,
      ])
    expect(states(both, 10)).toEqual([
      [`account ${account.version} ACTIVE`, null],
      ['counter 1 ACTIVE', null],
      ['counter 2 SCHEDULED', null],
    ])
    expect(states(new ModuleLibrary([account, counter, counter2, later]), 50)).toEqual([
      [`account ${account.version} ACTIVE`, null],
      ['counter 1 ENDED', null],
      ['counter 2 ACTIVE', null],
      ['later 1 UNUSED', expect.stringContaining('"nobody.there"')],
    ])
    const back = view({
      counter: [
        [1, 0],
        [2, 50],
        [1, 90],
      ],
    })
    expect(moduleStates(both, back, 95).map(({ version, status }) => `${version} ${status}`)).toEqual([
      '1 UNUSED',
      '1 ENDED',
      '1 ACTIVE',
      '2 ENDED',
    ])
    expect(states(onlyFirst, 10).at(-1)).toEqual(['counter 2 SCHEDULED', expect.stringContaining('version 2')])
  })

  it('are found by workers in the files that export them', async () => {
    expect(await loadModules(sourcesOf([counter2, counter]))).toEqual([counter2, counter])
    const wrong = { name: 'counter', version: 3, url: counter.url }
    await expect(loadModules([wrong])).rejects.toThrow('does not export version 3 of the ledger module "counter"')
  })
})
