import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/index.ts'
import { named } from '../query/written-ledger.ts'
import type { GraphqlFixture } from './graphql-fixture.ts'
import { createStory, story } from './graphql-story.ts'

describe('heights', () => {
  let test: GraphqlFixture
  beforeAll(async () => {
    test = await createStory()
  })
  afterAll(() => test.stop())

  const ask = async (document: string, atLeastHeight?: unknown, variables: Record<string, unknown> = {}) =>
    JSON.parse(
      JSON.stringify(
        await test.host.execute(
          document,
          variables,
          atLeastHeight === undefined ? {} : { extensions: { atLeastHeight } },
        ),
      ),
    )
  const heightsOf = async (document: string, variables?: Record<string, unknown>) =>
    (await ask(document, undefined, variables)).extensions?.height

  it('are told for the shards that a request looked at, and for no others', async () => {
    expect(await heightsOf('{ network { name } }')).toBeUndefined()
    expect(await heightsOf('{ network { rootHeight } }')).toEqual({ root: 9 })
    expect(await heightsOf('{ shard(id: "0:1") { height } }')).toEqual({ '0:1': 3 })
    expect(await heightsOf('{ blocks(shard: "0:0") { edges { node { height } } } }')).toEqual({ '0:0': 3 })
    expect(await heightsOf('{ blocks(first: 10) { edges { node { height } } } }')).toEqual({ '0:0': 3, '0:1': 3 })
    const account = await heightsOf('query ($a: Bytes!) { account(address: $a) { balance } }', {
      a: toHex(named('alice')),
    })
    expect(Object.keys(account)).toHaveLength(1)
    expect(
      await heightsOf('query ($id: Bytes!) { transaction(id: $id) { status block { hash } } }', {
        id: toHex(story.alice[0]?.id ?? new Uint8Array()),
      }),
    ).toEqual({ '0:0': 3 })
    expect(await heightsOf('{ transactions(first: 50) { edges { node { status } } } }')).toEqual({ '0:0': 3, '0:1': 3 })
  })

  it('say where a submission was included, so that its sender reads its own write', async () => {
    test.ledger.outcomes = [
      { kind: 'accepted', id: named('x'), duplicate: false, status: 'INCLUDED', at: { shard: '0:1', height: 40 } },
    ]
    const { data, extensions } = await ask(
      'mutation { submitTransaction(transaction: "0x00") { ... on TransactionAccepted { at { shard height } } } }',
    )
    expect(data.submitTransaction.at).toEqual({ shard: '0:1', height: '40' })
    expect(extensions.height).toEqual({ '0:1': 40 })
  })

  it('that were reached let a request through at once', async () => {
    const least = { '0:0': 3, '0:1': '2', root: 9 }
    expect((await ask('{ shardOne: shard(id: "0:1") { id } }', least)).errors).toBeUndefined()
    expect((await ask('{ network { name } }', {})).errors).toBeUndefined()
  })

  it('that are not reached yet hold a request until they are', async () => {
    let isAnswered = false
    const waiting = ask('{ shard(id: "0:0") { height } }', { '0:0': 5, root: 9 }).then((answer) => {
      isAnswered = true
      return answer
    })
    await sleep(50)
    expect(isAnswered).toBe(false)
    const [first] = test.ledger.shardStates
    if (first === undefined) throw new TypeError('the story has shards')
    test.ledger.shardStates[0] = { ...first, height: 6 }
    expect(await waiting).toEqual({ data: { shard: { height: '6' } }, extensions: { height: { '0:0': 6 } } })
  })

  it('that never come, or of shards that do not, are told after the bound', async () => {
    const [wrong, unknown] = await Promise.all([
      ask('{ network { name } }', { '0:1': 4_000 }),
      ask('{ network { name } }', { '0:111': '0' }),
    ])
    expect(wrong.errors).toMatchObject([
      { extensions: { code: 'HEIGHT_NOT_REACHED', shard: '0:1', wanted: 4000, height: 3 } },
    ])
    expect(unknown.errors).toMatchObject([
      { extensions: { code: 'HEIGHT_NOT_REACHED', shard: '0:111', wanted: 0, height: null } },
    ])
  })

  it.each([
    ['a number', 4],
    ['null', null],
    ['a list', [1]],
    ['a height below 0', { '0:0': -1 }],
    ['a height that is no whole number', { '0:0': 1.5 }],
    ['a height in words', { '0:0': 'ten' }],
    ['a height beyond all heights', { '0:0': '99999999999999999999' }],
    ['something that is no shard', { 'drop table': 1 }],
    ['more shards than it may name', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`${n}:`, 1]))],
  ])('are refused when they are %s', async (_what, least) => {
    expect((await ask('{ network { name } }', least)).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ])
  })

  it('of any other shape are refused too, and never crash the node', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (least) => {
        const { errors } = await ask('{ network { name } }', least)
        const isEmpty = JSON.stringify(least) === '{}'
        expect(errors?.[0]?.extensions.code).toBe(isEmpty ? undefined : 'BAD_USER_INPUT')
      }),
      { numRuns: 100 },
    )
  })

  it('are held against in limits that clients can read', async () => {
    const { data } = await ask(
      '{ network { limits { transactionBytes transactionsPerCall heightWaitSeconds pageSize depth timeoutSeconds } } }',
    )
    expect(data.network.limits).toEqual({
      transactionBytes: 65_536,
      transactionsPerCall: 1000,
      heightWaitSeconds: 5,
      pageSize: 100,
      depth: 20,
      timeoutSeconds: 30,
    })
  })
})
