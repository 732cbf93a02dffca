import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellId } from '../../../protocol/index.ts'
import { vault } from '../fixtures/vault.ts'
import { realmSalt } from '../modules/realm.ts'
import { sealRecord } from '../state/ledger-cell.ts'
import type { MadeRoot } from './made-root.ts'
import { RootState } from './root-state.ts'
import { RootStory, type SentMessage } from './testing.ts'

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const VALIDATOR = key(200)
const SENDERS = [VALIDATOR, key(201), key(202)]
const NOWHERE = new Uint8Array(0)

const sender = fc.constantFrom(...SENDERS)
const value = fc.bigInt(0n, 20_000n)
const number = fc.nat(4)

/** Anything that anybody may send to the root chain, sensible or not. */
const message: fc.Arbitrary<SentMessage> = fc.oneof(
  fc.record({ from: sender, value, name: fc.constantFrom('a', 'b', 'c'), shards: fc.constantFrom(1, 2, 3) }).map(
    ({ from, value, name, shards }): SentMessage => ({
      from,
      value,
      call: 'realm.create',
      to: cellId('realm', from, realmSalt(name)),
      args: { name, shards },
    }),
  ),
  fc
    .record({ from: sender, value, shard: fc.constantFrom('0:0', '0:1', '0:10', '0:111', '1:', '2:0', 'x') })
    .map(({ from, value, shard }): SentMessage => ({ from, value, call: 'shard.split', args: { shard } })),
  fc
    .record({ from: sender, value, count: fc.integer({ min: 1, max: 4 }), each: fc.nat(4000) })
    .map(({ from, value, ...args }): SentMessage => ({ from, value, call: 'vault.open', args })),
  fc
    .record({
      from: sender,
      args: fc.record({
        from: number,
        to: number,
        value: fc.nat(3000),
        end: fc.constantFrom('keep', 'keep', 'refuse', 'throw'),
      }),
    })
    .map(({ from, args }): SentMessage => ({ from, call: 'vault.move', args })),
  fc
    .record({ from: sender, value, n: number })
    .map(({ from, value, n }): SentMessage => ({ from, value, call: 'vault.close', args: { n } })),
  fc
    .record({ from: sender, value, how: fc.constantFrom('foreign', 'gift', 'takeTooMuch', 'noDeposit', 'manyExports') })
    .map(
      ({ from, value, how }): SentMessage => ({ from, value, call: 'vault.misbehave', args: { how, cell: key(3) } }),
    ),
  // What a shard sent on comes back, whether its cell is still there or not.
  fc.record({ from: sender, value, n: number }).map(
    ({ from, value, n }): SentMessage => ({
      from: key(9),
      kind: 'bounce',
      module: 'vault',
      to: cellId('vault', from, Uint8Array.of(n)),
      payer: from,
      value,
      call: 'account.credit',
      code: 'NOT_TODAY',
    }),
  ),
)

/** The same root chain as a node that starts anew reads it back. */
function restarted({ parts, store, height, view, totals, trie, exports }: RootState): RootState {
  const cells = [...store.changed()]
    .map((cell) => ({ path: cell.path, record: sealRecord(cell) }))
    .sort((a, b) => Buffer.compare(a.path, b.path))
  const read = new RootState(parts, { height, cells, view, totals })
  read.check({ cellsRoot: trie.root, exportsRoot: exports.root })
  return read
}

const said = (made: MadeRoot | undefined) => ({ ...made, faults: undefined, outIndex: undefined })

describe('the state of the root chain', () => {
  it('conserves coins, and is the same after any restarts', async () => {
    const blocks = fc.array(fc.record({ messages: fc.array(message, { maxLength: 6 }), restart: fc.boolean() }), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(blocks, async (blocks) => {
        const rules = { validators: [VALIDATOR], realmBond: 500n, maxShards: 8, modules: [vault] }
        const [steady, restarting] = [new RootStory(rules), new RootStory(rules)]
        let given = 0n
        for (const { messages, restart } of blocks) {
          if (restart) restarting.state = restarted(restarting.state)
          const codes = await steady.block(...messages)
          expect(await restarting.block(...messages)).toEqual(codes)
          expect(said(restarting.made)).toEqual(said(steady.made))
          for (const { value = 0n } of messages) given += value
          const { holdings, emitted, consumed } = steady.state.totals
          expect(consumed).toBe(given)
          expect(holdings + emitted).toBe(given)
          steady.state.check(steady.made ?? { cellsRoot: NOWHERE, exportsRoot: NOWHERE })
        }
      }),
      { numRuns: 60 },
    )
  })
})
