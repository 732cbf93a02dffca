import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cellId } from '../../../protocol/index.ts'
import { vault } from '../fixtures/vault.ts'
import { guardDeterminism } from '../ledger/determinism.ts'
import { realmSalt } from '../modules/realm.ts'
import { splitOut } from '../shard/out-index.ts'
import { idKey } from '../state/ledger-cell.ts'
import { RootStory, type SentMessage } from './testing.ts'

const alice = new Uint8Array(32).fill(201)
const bob = new Uint8Array(32).fill(202)
const NO_SALT = new Uint8Array(0)
let story: RootStory

beforeAll(() => guardDeterminism())
beforeEach(() => {
  story = new RootStory({ modules: [vault] })
})

const vaults = (call: string, args: SentMessage['args'] = {}, value = 0n): SentMessage => ({
  from: alice,
  call: `vault.${call}`,
  args,
  value,
})
const cellOf = (n: number) => story.state.store.get(idKey(cellId('vault', alice, Uint8Array.of(n))))
const balances = () => [0, 1].map((n) => cellOf(n)?.balance)

/** Holdings as the totals say, and as the cells add up to. */
function holdings(): [bigint, bigint] {
  let sum = 0n
  for (const cell of story.state.store.changed()) sum += cell.balance + 10n * BigInt(cell.depositBytes)
  return [story.state.totals.holdings, sum]
}

describe('a root call', () => {
  it('reaches other cells of its module, and moves coins between them', async () => {
    expect(await story.block(vaults('open', { count: 2, each: 5000 }, 10_000n))).toEqual(['DONE'])
    const [first = 0n, second = 0n] = balances()
    expect(first).toBe(second)
    expect(await story.block(vaults('move', { from: 0, to: 1, value: 100, end: 'keep' }))).toEqual(['DONE'])
    expect(balances()).toEqual([first - 100n, second + 100n])
    expect(story.state.view.get('vault/last')).toEqual({ from: 0, to: 1, value: 100 })
    expect(story.made?.exports.map(([key]) => key)).toEqual(['vault/last'])
    const [total, sum] = holdings()
    expect([total, sum]).toEqual([10_000n, 10_000n])
  })

  it.each(['refuse', 'throw'])('leaves no trace of its own if it ends with %s', async (end) => {
    await story.block(vaults('open', { count: 2, each: 5000 }, 10_000n))
    const before = balances()
    const { root } = story.state.trie
    const [code] = await story.block(vaults('move', { from: 0, to: 1, value: 100, end }, 7n))
    expect(code).toBe(end === 'refuse' ? 'NOT_TODAY' : 'MODULE_FAULT')
    expect(balances()).toEqual(before)
    expect(story.state.trie.root).toEqual(root)
    expect(story.made?.exports).toEqual([])
    // The value goes back to where it came from.
    expect(splitOut(story.made?.outgoing ?? NO_SALT)).toHaveLength(1)
  })

  it('undoes one call of a block, and keeps the others', async () => {
    await story.block(vaults('open', { count: 2, each: 5000 }, 10_000n))
    const [first = 0n, second = 0n] = balances()
    const move = (value: number, end: string) => vaults('move', { from: 0, to: 1, value, end })
    const codes = await story.block(move(100, 'keep'), move(30, 'refuse'), move(7, 'keep'), move(1, 'throw'))
    expect(codes).toEqual(['DONE', 'NOT_TODAY', 'DONE', 'MODULE_FAULT'])
    expect(balances()).toEqual([first - 107n, second + 107n])
    expect(story.state.view.get('vault/last')).toMatchObject({ value: 7 })
  })

  it('empties a cell, which leaves the state', async () => {
    await story.block(vaults('open', { count: 2, each: 5000 }, 10_000n))
    expect(await story.block(vaults('close', { n: 0 }), vaults('close', { n: 1 }))).toEqual(['DONE', 'DONE'])
    expect(balances()).toEqual([undefined, undefined])
    expect(story.state.trie.size).toBe(0)
    expect(holdings()).toEqual([0n, 0n])
  })

  it('reaches 4,096 cells at most, and none of another module', async () => {
    expect(await story.block(vaults('open', { count: 4096, each: 600 }, 4096n * 600n))).toEqual(['DONE'])
    expect(await story.block(vaults('open', { count: 4097, each: 0 }))).toEqual(['TOO_MANY_CELLS'])
    expect(story.state.trie.size).toBe(4096)
  })

  it.each([
    ['foreign', 'WRONG_OWNER'],
    ['underived', 'NOT_DERIVED'],
    ['gift', 'NOT_DERIVED'],
    ['takeTooMuch', 'INSUFFICIENT_BALANCE'],
    ['takeNegative', 'INSUFFICIENT_BALANCE'],
    ['giveTooMuch', 'INSUFFICIENT_BALANCE'],
    ['giveNegative', 'INSUFFICIENT_BALANCE'],
    ['noDeposit', 'DEPOSIT_REQUIRED'],
    ['otherKey', 'EXPORT_REFUSED'],
    ['oddKey', 'EXPORT_REFUSED'],
    ['longKey', 'EXPORT_REFUSED'],
    ['bigExport', 'EXPORT_REFUSED'],
    ['manyExports', 'EXPORT_REFUSED'],
    ['nowhere', 'UNKNOWN_REALM'],
    ['takeOwnTwice', 'INSUFFICIENT_BALANCE'],
    ['toItself', 'UNKNOWN_CALL'],
  ])('cannot do what would harm others: %s', async (how, code) => {
    const cell = cellId('realm', bob, realmSalt('games'))
    const realm = { from: bob, call: 'realm.create', to: cell, args: { name: 'games', shards: 1 }, value: 10_000n }
    expect(await story.block(realm, vaults('open', { count: 1, each: 2000 }, 2000n))).toEqual(['DONE', 'DONE'])
    const { root } = story.state.trie
    expect(await story.block(vaults('misbehave', { how, cell }, 10n))).toEqual([code])
    expect(story.state.trie.root).toEqual(root)
    expect(story.made?.exports).toEqual([])
  })

  it.each(['loop', 'recurse'])('stops the root chain where it cannot be run: %s', async (how) => {
    await story.block(vaults('open', { count: 2, each: 5000 }, 10_000n))
    const { root } = story.state.trie
    const before = [story.state.height, ...balances(), ...holdings()]
    const bad = vaults('misbehave', { how, cell: NO_SALT }, 10n)
    const block = story.block(vaults('move', { from: 0, to: 1, value: 100, end: 'keep' }), bad)
    await expect(block).rejects.toThrow(/^root block 2: .*"vault.misbehave" .*transaction 0x0/)
    expect([story.state.height, ...balances(), ...holdings()]).toEqual(before)
    expect(story.state.trie.root).toEqual(root)
    // The watch over calls ended with it.
    expect(Date.now()).toBeGreaterThan(0)
    // Nothing of it is left: without that message the block is made.
    expect(await story.block(vaults('move', { from: 0, to: 1, value: 100, end: 'keep' }))).toEqual(['DONE'])
  })

  it('sees nothing any more once it is over', async () => {
    await story.block(vaults('open', { count: 1, each: 2000 }, 2000n))
    const cell = NO_SALT
    const codes = await story.block(
      vaults('misbehave', { how: 'keep', cell }),
      vaults('misbehave', { how: 'useKept', cell }),
    )
    expect(codes).toEqual(['DONE', 'MODULE_FAULT'])
  })
})
