import { toHex } from '../../../protocol/index.ts'
import { named, transactionOf } from '../query/written-ledger.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'

const alice = [0, 1, 2].map((nonce) => transactionOf('alice', nonce, { actions: [{ value: 5n, args: {} }] }))
const failed = transactionOf('bob', 0, {
  actions: [{}, { call: 'test.note', args: { blob: Uint8Array.of(1, 255), big: 2n ** 70n, n: 7 } }],
  statuses: [0, 1],
  errors: [{ action: 1, code: 'BAD_ARGUMENTS', message: 'the arguments do not fit' }],
})
const away = transactionOf('bob', 1, { actions: [{ to: named('there') }, {}], statuses: [2, 0], remote: 1 })
const waiting = transactionOf('bob', 2)

/** What the story's ledger holds: transactions in three blocks, one that waits, an account and a module's cell. */
export const story = { alice, failed, away, waiting }

/** For tests: a fixture whose ledger tells the story. */
export async function createStory(): Promise<GraphqlFixture> {
  const test = await createGraphqlFixture()
  await test.tables.block({ shard: '0:0', height: 1, seconds: 1 }, alice.slice(0, 2))
  await test.tables.block(
    { shard: '0:1', height: 1, seconds: 2 },
    [failed, away],
    [['test.noted', { n: 1, from: Uint8Array.of(9) }, failed.id, 0]],
  )
  await test.tables.block({ shard: '0:0', height: 2, seconds: 3 }, alice.slice(2), [
    ['test.noted', { n: 2 }, away.id, 0],
    ['execution.credited', { to: named('a'), from: named('b'), value: 5 }, away.id, 0],
  ])
  await test.tables.outcome(away.id, { shard: '0:0', height: 2 }, -1, [
    { action: 0, kind: 0, status: 0, code: '', message: '' },
  ])
  await test.tables.rootBlock(4, [{ shard: '0:0', height: 1 }])
  test.ledger.pending.set(toHex(waiting.id), { id: waiting.id, status: 'PENDING', at: null, pending: waiting.wire })
  const cell = { realm: 0, shard: '0:0', deposit: 12n, height: 3 }
  const key = [named('agent'), ['market.*'], [[0, named('stall')]], 7, 1000, 2n ** 70n, 99]
  const lanes = [
    [0, 3],
    [20, 1],
  ]
  for (const state of [
    { id: named('alice'), owner: 'account', balance: 10n ** 30n, value: [lanes, [key]], ...cell },
    { id: named('counter'), owner: 'counter', balance: 7n, value: { n: 5, key: Uint8Array.of(1) }, ...cell },
  ]) {
    test.ledger.cellStates.set(toHex(state.id), state)
  }
  return test
}
