import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/index.ts'
import { SubmissionError } from '../gateway/errors.ts'
import { named } from '../query/written-ledger.ts'
import { ShardHostError } from '../shard/shard-host.ts'
import { FAUCET_LIMITS } from './faucet-gate.ts'
import type { GraphqlFixture } from './graphql-fixture.ts'
import { createStory, story } from './graphql-story.ts'

let test: GraphqlFixture
const { alice, waiting } = story
const hex = toHex

beforeAll(async () => {
  test = await createStory()
})
afterAll(() => test?.stop())
beforeEach(() => {
  test.ledger.calls.length = 0
})

describe('submissions', () => {
  const result = `{
    ... on TransactionAccepted { transaction { id status } duplicate at { shard height } }
    ... on TransactionRefused { code message }
    ... on UserError { code }
  }`

  it('answer without reading anything', async () => {
    test.ledger.outcomes = [
      { kind: 'accepted', id: alice[0]!.id, duplicate: true, status: 'EXECUTED', at: { shard: '0:0', height: 1 } },
      { kind: 'refused', id: null, code: 'MALFORMED', message: 'not a transaction' },
      { kind: 'accepted', id: waiting.id, duplicate: false, status: 'PENDING', at: null },
    ]
    const document = `mutation ($t: [Bytes!]!) { submitTransactions(transactions: $t) ${result} }`
    const variables = { t: ['0x01', '0x02', '0x03'] }
    expect(await test.query(document, variables)).toEqual({
      submitTransactions: [
        {
          transaction: { id: hex(alice[0]!.id), status: 'EXECUTED' },
          duplicate: true,
          at: { shard: '0:0', height: '1' },
        },
        { code: 'MALFORMED', message: 'not a transaction' },
        { transaction: { id: hex(waiting.id), status: 'PENDING' }, duplicate: false, at: null },
      ],
    })
    expect(test.ledger.calls).toEqual(['submit 3 NONE'])
    expect(await test.statements(document, variables)).toEqual([])
  })

  it('wait for inclusion if nothing else is said', async () => {
    test.ledger.outcomes = [
      { kind: 'accepted', id: alice[0]!.id, duplicate: false, status: 'INCLUDED', at: { shard: '0:0', height: 1 } },
    ]
    const submit = (args: string) =>
      test.query(
        `mutation { submitTransaction(transaction: "0x01"${args}) ${result.replace('id status', 'status fee')} }`,
      )
    expect(await submit('')).toMatchObject({ submitTransaction: { transaction: { status: 'INCLUDED', fee: '91' } } })
    await submit(', wait: EXECUTED')
    expect(test.ledger.calls).toEqual(['submit 1 INCLUDED', 'submit 1 EXECUTED'])
  })

  it('are bounded', async () => {
    const t = Array.from({ length: 1001 }, () => '0x01')
    const document = `mutation ($t: [Bytes!]!) { submitTransactions(transactions: $t) ${result} }`
    expect(await test.refusal(document, { t })).toBe('TOO_MANY_TRANSACTIONS')
    expect(test.ledger.calls).toEqual([])
  })

  it('say by a code that the ledger cannot answer now, and nothing of what else went wrong', async () => {
    const document = `mutation { submitTransaction(transaction: "0x01") ${result} }`
    test.ledger.trouble = new SubmissionError('OVERLOADED', 'too many transactions are on their way: try again')
    expect(await test.refusal(document)).toBe('OVERLOADED')
    test.ledger.trouble = new ShardHostError('SHARD_UNAVAILABLE', 'shard 0:0 is restarting; try again in a moment')
    const account = 'query ($a: Bytes!) { account(address: $a) { balance } }'
    expect(await test.refusal(account, { a: hex(waiting.id) })).toBe('SHARD_UNAVAILABLE')
    test.ledger.trouble = new ShardHostError('ENOENT', '/secret/path')
    expect(await test.refusal(document)).toBe('UNAVAILABLE')
    test.ledger.trouble = undefined
  })

  it('from the faucet are paced, and refused on production networks', async () => {
    const document = `mutation ($a: Bytes!) { faucet(address: $a) ${result} }`
    const a = hex(named('poor'))
    for (let i = 0; i < FAUCET_LIMITS.perAddress; i++) {
      expect(await test.query(document, { a })).toMatchObject({ faucet: { transaction: { status: 'INCLUDED' } } })
    }
    expect(await test.query(document, { a })).toMatchObject({ faucet: { code: 'FAUCET_LIMIT' } })
    expect(await test.query(document, { a: hex(named('other')) })).toMatchObject({ faucet: { duplicate: false } })
    expect(test.ledger.calls).toHaveLength(FAUCET_LIMITS.perAddress + 1)
    test.ledger.kind = 'production'
    expect(await test.query(document, { a: hex(named('third')) })).toMatchObject({ faucet: { code: 'NO_FAUCET' } })
    test.ledger.kind = 'development'
  })

  it('can be simulated', async () => {
    const document = `{ simulate(transaction: "0x01") {
      ... on SimulationDone { id fee weight actions { status error { code } shard { id } events { topic payload } } }
      ... on TransactionRefused { code }
    } }`
    expect(await test.query(document)).toEqual({ simulate: { code: 'MALFORMED' } })
    const events = [{ topic: 'test.noted', payload: { n: 2n ** 60n } }]
    const action = { status: 'DONE', error: null, shard: '0:1', events } as const
    test.ledger.simulation = { kind: 'done', id: waiting.id, fee: 91n, weight: 13n, actions: [action] }
    expect(await test.query(document)).toEqual({
      simulate: {
        id: hex(waiting.id),
        fee: '91',
        weight: '13',
        actions: [
          {
            status: 'DONE',
            error: null,
            shard: { id: '0:1' },
            events: [{ topic: 'test.noted', payload: { n: (2n ** 60n).toString() } }],
          },
        ],
      },
    })
  })
})
