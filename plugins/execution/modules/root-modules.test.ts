import { describe, expect, it } from 'vitest'
import { cellId } from '../../../protocol/index.ts'
import { SPLIT_DELAY } from '../ledger/rules.ts'
import { RootStory } from '../root/testing.ts'
import { splitOut } from '../shard/out-index.ts'
import { idKey } from '../state/ledger-cell.ts'
import { realmSalt } from './realm.ts'

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const validator = key(200)
const alice = key(201)
const bob = key(202)

const split = (from: Uint8Array, shard: string) => ({ from, call: 'shard.split', args: { shard } })
const create = (from: Uint8Array, name: string, shards: number, value = 100_000n) => ({
  from,
  call: 'realm.create',
  to: cellId('realm', from, realmSalt(name)),
  args: { name, shards },
  value,
})
const activate = (from: Uint8Array, name: string, version: number, at: number) => ({
  from,
  call: 'module.activate',
  args: { name, version, at },
})

describe('shard.split', () => {
  it('ends a shard and begins its children a few root blocks later', async () => {
    const story = new RootStory({ validators: [validator] })
    await story.block()
    expect(await story.block(split(validator, '0:1'))).toEqual(['DONE'])
    const { shards } = story.state.view
    const at = 2 + SPLIT_DELAY
    expect(shards.get('0:1')).toEqual({ from: 0, parent: null, until: at })
    expect(shards.get('0:10')).toEqual({ from: at, parent: '0:1', until: null })
    expect(shards.get('0:11')).toEqual({ from: at, parent: '0:1', until: null })
    expect(story.made?.exports.map(([name]) => name)).toEqual(['shard/0:1', 'shard/0:10', 'shard/0:11'])
    expect(story.made?.events.topics).toEqual(['execution.splitScheduled'])
  })

  it('waits for a split under way, and leaves ended shards alone', async () => {
    const story = new RootStory({ validators: [validator] })
    const both = await story.block(split(validator, '0:1'), split(validator, '0:1'), split(validator, '0:10'))
    expect(both).toEqual(['DONE', 'SPLIT_PENDING', 'SPLIT_PENDING'])
    for (let i = 1; i < SPLIT_DELAY; i++)
      expect(await story.block(split(validator, '0:1'), split(validator, '0:11'))).toEqual([
        'SPLIT_PENDING',
        'SPLIT_PENDING',
      ])
    expect(await story.block(split(validator, '0:1'), split(validator, '0:10'))).toEqual([
      'UNKNOWN_SHARD',
      'SPLIT_PENDING',
    ])
    expect(await story.block(split(validator, '0:1'), split(validator, '0:10'))).toEqual(['UNKNOWN_SHARD', 'DONE'])
  })

  it('is for validators, and for the creator of a realm in that realm', async () => {
    const story = new RootStory({ validators: [validator] })
    expect(await story.block(create(alice, 'games', 1))).toEqual(['DONE'])
    expect(await story.block(split(alice, '0:0'), split(bob, '1:'))).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED'])
    // A module that sends in the name of an account's cell is not that account.
    expect(await story.block({ ...split(alice, '1:'), module: 'market' })).toEqual(['NOT_ALLOWED'])
    expect(await story.block({ ...split(validator, '0:0'), value: 1n })).toEqual(['NOT_PAYABLE'])
    expect(await story.block({ ...split(bob, '1:'), value: 1000n })).toEqual(['NOT_ALLOWED'])
    const bonded = { ...split(alice, '1:'), value: 1000n }
    expect(await story.block(bonded, split(validator, '0:0'))).toEqual(['DONE', 'DONE'])
  })

  it('takes a bond of a realm’s creator, so that nobody has shards for nothing', async () => {
    const story = new RootStory({ realmBond: 5000n })
    await story.block(create(alice, 'games', 1))
    const { holdings } = story.state.totals
    const bring = (value: bigint) => ({ ...split(alice, '1:'), value })
    expect(await story.block(bring(0n), bring(4999n))).toEqual(['BOND_REQUIRED', 'BOND_REQUIRED'])
    expect(story.state.totals.holdings).toBe(holdings)
    expect(await story.block(bring(5001n), bring(5000n))).toEqual(['DONE', 'SPLIT_PENDING'])
    const cell = story.state.store.get(idKey(cellId('shard', alice, new TextEncoder().encode('1:'))))
    expect(cell?.balance).toBe(5001n)
    expect(story.state.totals.holdings).toBe(holdings + 5001n)
  })

  it('stops at the longest prefix, and at the most shards', async () => {
    const story = new RootStory({ validators: [validator], maxShards: 20 })
    let prefix = '0'
    await story.block()
    for (; prefix.length < 16; prefix += '0') {
      expect(await story.block(split(validator, `0:${prefix}`))).toEqual(['DONE'])
      for (let i = 0; i < SPLIT_DELAY; i++) await story.block()
    }
    expect(await story.block(split(validator, `0:${prefix}`))).toEqual(['TOO_DEEP'])
    expect([...story.state.view.shards.values()].filter(({ until }) => until === null)).toHaveLength(17)
    const more = await story.block(...['0:1', '0:01', '0:001', '0:0001'].map((id) => split(validator, id)))
    expect(more).toEqual(['DONE', 'DONE', 'DONE', 'TOO_MANY_SHARDS'])
    expect(await story.block(create(alice, 'games', 1))).toEqual(['TOO_MANY_SHARDS'])
  })

  it('knows no other shards', async () => {
    const story = new RootStory({ validators: [validator] })
    const ids = ['', 'root', '0:', '9:', '0:2', '__proto__', 'x'.repeat(100)]
    expect(await story.block(...ids.map((id) => split(validator, id)))).toEqual(ids.map(() => 'UNKNOWN_SHARD'))
    expect(await story.block({ ...split(validator, ''), args: { shard: 7 } })).toEqual(['BAD_ARGUMENTS'])
  })
})

describe('realm.create', () => {
  it('gives out one number after the other, even in one root block', async () => {
    const story = new RootStory()
    expect(await story.block(create(alice, 'games', 4), create(bob, 'games', 1))).toEqual(['DONE', 'DONE'])
    const { realms, shards } = story.state.view
    expect([...realms.keys()]).toEqual([0, 1, 2])
    expect(idKey(realms.get(2)?.creator ?? key(0))).toBe(idKey(bob))
    const begun = [...shards].filter(([, { from }]) => from === 1).map(([id]) => id)
    expect(begun).toEqual(['1:00', '1:01', '1:10', '1:11', '2:'])
  })

  it('keeps the bond of each shard, and sends the rest back', async () => {
    const story = new RootStory({ realmBond: 5000n })
    expect(await story.block(create(alice, 'games', 2, 50_000n))).toEqual(['DONE'])
    const cell = story.state.store.get(idKey(cellId('realm', alice, realmSalt('games'))))
    expect(cell?.balance).toBe(10_000n)
    expect(splitOut(story.made?.outgoing ?? key(0))).toHaveLength(1)
    const { holdings, emitted, consumed } = story.state.totals
    expect(consumed).toBe(50_000n)
    expect(holdings).toBe(50_000n - emitted)
    expect(holdings).toBe(10_000n + 10n * BigInt(cell?.depositBytes ?? 0))
  })

  it('is refused without its bond, under a name that the account has, at another cell, or by a module', async () => {
    const story = new RootStory()
    expect(await story.block(create(alice, 'games', 2, 2000n))).toEqual(['BOND_REQUIRED'])
    expect(await story.block(create(alice, 'games', 1), create(alice, 'games', 1))).toEqual(['DONE', 'REALM_EXISTS'])
    expect(await story.block({ ...create(bob, 'games', 1), from: alice })).toEqual(['NOT_DERIVED'])
    expect(await story.block({ ...create(bob, 'games', 1), module: 'market' })).toEqual(['NOT_ALLOWED'])
    for (const [name, shards] of [
      ['UPPER', 1],
      ['', 1],
      ['odd', 3],
      ['x'.repeat(33), 1],
      ['none', 0],
    ] as const)
      expect(await story.block(create(alice, name, shards))).toEqual(['BAD_ARGUMENTS'])
    expect([...story.state.view.realms.keys()]).toEqual([0, 1])
  })
})

describe('module.activate', () => {
  it('schedules versions, for validators, in order', async () => {
    const story = new RootStory({ validators: [validator] })
    expect(await story.block(activate(alice, 'counter', 1, 9))).toEqual(['NOT_ALLOWED'])
    expect(await story.block(activate(validator, 'counter', 1, 2))).toEqual(['HEIGHT_PASSED'])
    expect(await story.block(activate(validator, 'counter', 1, 9))).toEqual(['DONE'])
    const { view } = story.state
    expect([view.modulesAt(8).get('counter'), view.modulesAt(9).get('counter')]).toEqual([undefined, 1])
  })
})
