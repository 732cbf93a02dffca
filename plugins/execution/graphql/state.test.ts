import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decodeGenesis, fromHex, toHex } from '../../../protocol/index.ts'
import { named, TEST_NETWORK } from '../query/written-ledger.ts'
import type { GraphqlFixture } from './graphql-fixture.ts'
import { createStory, story } from './graphql-story.ts'
import { pick, pickText } from './pick.ts'

let test: GraphqlFixture
const { alice, away } = story
const hex = toHex

beforeAll(async () => {
  test = await createStory()
})
afterAll(() => test?.stop())
beforeEach(() => {
  test.ledger.calls.length = 0
})

describe('blocks', () => {
  it('show their header', async () => {
    const answer = await test.query(`{
      block(shard: "0:0", height: 1) {
        id shard { id } height hash prevHash rootCursor txRoot outRoot stateRoot deferredRoot basePrice txCount weight txWeight
        congestion time size rootBlock { height } cursor
        transactions(first: 1) { edges { node { id } } pageInfo { hasNextPage endCursor } }
      }
    }`)
    expect(pick(answer, 'block')).toMatchObject({
      shard: { id: '0:0' },
      height: '1',
      rootCursor: '1',
      stateRoot: hex(named('cells 0:0 1')),
      basePrice: '7',
      txCount: 2,
      weight: '13',
      txWeight: '11',
      time: '2026-01-01T00:00:01.000Z',
      rootBlock: { height: '4' },
      cursor: null,
      transactions: { edges: [{ node: { id: hex(alice[0]!.id) } }], pageInfo: { hasNextPage: true } },
    })
    const more = await test.query(
      'query ($after: Cursor) { block(shard: "0:0", height: 1) { transactions(after: $after) { edges { node { id } } } } }',
      { after: pick(answer, 'block.transactions.pageInfo.endCursor') },
    )
    expect(pick(more, 'block.transactions.edges.*.node.id')).toEqual([hex(alice[1]!.id)])
    const byHash = await test.query(
      'query ($hash: Bytes) { same: block(shard: "0:0", hash: $hash) { height } other: block(shard: "0:1", hash: $hash) { height } }',
      { hash: pick(answer, 'block.hash') },
    )
    expect(byHash).toEqual({ same: { height: '1' }, other: null })
    expect(await test.refusal('{ block(shard: "0:0") { height } }')).toBe('BAD_USER_INPUT')
  })

  it('are listed from both ends, of one shard or of all', async () => {
    const times = (answer: unknown) => pick(answer, 'blocks.edges.*.node.time')
    const at = (...seconds: number[]) => seconds.map((second) => `2026-01-01T00:00:0${second}.000Z`)
    const fields = '{ edges { node { time } } pageInfo { hasPreviousPage startCursor } }'
    expect(times(await test.query(`{ blocks ${fields} }`))).toEqual(at(1, 2, 3))
    expect(times(await test.query(`{ blocks(shard: "0:0", last: 1) ${fields} }`))).toEqual(at(3))
    const answer = await test.query(`{ blocks(last: 2) ${fields} }`)
    expect(pick(answer, 'blocks.pageInfo.hasPreviousPage')).toBe(true)
    const before = await test.query(`query ($before: Cursor) { blocks(last: 2, before: $before) ${fields} }`, {
      before: pick(answer, 'blocks.pageInfo.startCursor'),
    })
    expect(times(before)).toEqual(at(1))
  })
})

describe('accounts and cells', () => {
  it('show balance and lanes, and 0 for an address that nobody used', async () => {
    const document = `query ($address: Bytes!) {
      account(address: $address) { address realm balance deposit lanes { lane nextNonce } keys sessionKeys { key calls targets { address realm } lane limit spent expires } shard { id } }
    }`
    expect(await test.query(document, { address: hex(named('alice')) })).toMatchObject({
      account: {
        address: hex(named('alice')),
        realm: 0,
        balance: (10n ** 30n).toString(),
        deposit: '12',
        lanes: [
          { lane: 0, nextNonce: '3' },
          { lane: 20, nextNonce: '1' },
        ],
        keys: [hex(named('agent'))],
        sessionKeys: [
          {
            key: hex(named('agent')),
            calls: ['market.*'],
            targets: [{ address: hex(named('stall')), realm: 0 }],
            lane: 7,
            limit: '1000',
            spent: String(2n ** 70n),
            expires: '99',
          },
        ],
      },
    })
    expect(await test.query(document, { address: hex(named('nobody')) })).toMatchObject({
      account: { balance: '0', deposit: '0', lanes: [] },
    })
    expect(
      await test.query('query ($a: Bytes!) { account(address: $a, realm: 3) { balance } }', { a: hex(named('alice')) }),
    ).toEqual({ account: null })
  })

  it('show what a module keeps', async () => {
    const document = 'query ($id: Bytes!) { cell(id: $id) { address owner balance deposit value height shard { id } } }'
    expect(await test.query(document, { id: hex(named('counter')) })).toEqual({
      cell: {
        address: hex(named('counter')),
        owner: 'counter',
        balance: '7',
        deposit: '12',
        value: { n: 5, key: '0x01' },
        height: '3',
        shard: { id: '0:0' },
      },
    })
    expect(await test.query(document, { id: hex(named('none')) })).toEqual({ cell: null })
  })

  it('ask the ledger once for many', async () => {
    const aliases = ['alice', 'bob', 'counter']
      .map((name, index) => `a${index}: account(address: "${hex(named(name))}") { balance lanes { lane } deposit }`)
      .join(' ')
    await test.query(`{ ${aliases} }`)
    expect(test.ledger.calls).toEqual(['cells 0 3'])
  })
})

describe('the network', () => {
  it('is what the ledger says of it', async () => {
    const answer = await test.query(
      '{ network { id name kind rootHeight shardCount supply supplyCheck { total inFlight } randomness genesis } }',
    )
    const { genesis, ...network } = z.object({ network: z.looseObject({ genesis: z.string() }) }).parse(answer).network
    expect(network).toEqual({
      id: hex(TEST_NETWORK),
      name: 'deaios',
      kind: 'DEVELOPMENT',
      rootHeight: '9',
      shardCount: 3,
      supply: '1000',
      supplyCheck: { total: '1000', inFlight: '0' },
      randomness: 'SINGLE_OPERATOR',
    })
    expect(decodeGenesis(fromHex(genesis))).toMatchObject({ kind: 'development', shards: ['0:0', '0:1'] })
  })
})

describe('shards', () => {
  it('show what they are doing and where they come from', async () => {
    const answer = await test.query(`{
      shards { edges { node { id realm prefix height status load mempool { size bytes } basePrice congestion } } }
      shard(id: "0:01") { parent { id children { id } } children { id } }
      none: shard(id: "9:") { id }
    }`)
    expect(pick(answer, 'shards.edges.*.node.id')).toEqual(['0:0', '0:01', '0:1'])
    const last = { prefix: '1', height: '3', mempool: { size: 2, bytes: 500 }, basePrice: '3', congestion: 120 }
    expect(pick(answer, 'shards.edges.2.node')).toMatchObject(last)
    expect(pick(answer, 'shard')).toEqual({ parent: { id: '0:0', children: [{ id: '0:01' }] }, children: [] })
    expect(pick(answer, 'none')).toBeNull()
  })
})

describe('nodes', () => {
  it('are found by the ids that they give', async () => {
    const answer = await test.query(
      `query ($alice: Bytes!, $counter: Bytes!, $transaction: Bytes!) {
        block(shard: "0:1", height: 1) { id } account(address: $alice) { id } cell(id: $counter) { id }
        transaction(id: $transaction) { id } shard(id: "0:1") { id }
      }`,
      { alice: hex(named('alice')), counter: hex(named('counter')), transaction: hex(away.id) },
    )
    const ids = ['block', 'account', 'cell', 'transaction', 'shard'].map((name) => pickText(answer, `${name}.id`))
    const found = await test.query(
      `query ($ids: [ID!]!) { nodes(ids: $ids) {
        __typename id
        ... on Block { hash } ... on Account { balance } ... on Cell { owner } ... on Transaction { status } ... on Shard { prefix }
      } }`,
      { ids },
    )
    expect(pick(found, 'nodes')).toMatchObject([
      { __typename: 'Block' },
      { __typename: 'Account', balance: (10n ** 30n).toString() },
      { __typename: 'Cell', owner: 'counter' },
      { __typename: 'Transaction', status: 'EXECUTED' },
      { __typename: 'Shard', prefix: '1' },
    ])
    expect(pick(found, 'nodes.*.id')).toEqual(ids)
  })

  it('do not exist for made-up ids, or have no such id at all', async () => {
    const none = ['Block:0:0/99', 'Block:x', 'Account:5/0x00', 'Cell:0/1'].map((id) =>
      Buffer.from(id).toString('base64'),
    )
    const ids = [...none, hex(named('?')), '7:']
    expect(await test.query('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).toEqual({
      nodes: ids.map(() => null),
    })
    for (const id of [
      '',
      '???',
      Buffer.from('Action:1').toString('base64'),
      Buffer.from('Nothing:1').toString('base64'),
    ]) {
      expect(await test.refusal('query ($id: ID!) { node(id: $id) { id } }', { id })).toBe('BAD_ID')
    }
  })
})
