import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decode,
  decodeHeader,
  decodeListProof,
  fromHex,
  headerHash,
  Reader,
  toHex,
  verifyListProof,
} from '../../../protocol/index.ts'
import { named, transactionOf } from '../query/written-ledger.ts'
import { readReceipt } from '../shard/receipt.ts'
import { FAUCET_LIMITS } from './faucet-gate.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'
import { pick, pickText } from './pick.ts'

let test: GraphqlFixture

const alice = [0, 1, 2].map((nonce) => transactionOf('alice', nonce, { actions: [{ value: 5n, args: {} }] }))
const failed = transactionOf('bob', 0, {
  actions: [{}, { call: 'test.note', args: { blob: Uint8Array.of(1, 255), big: 2n ** 70n, n: 7 } }],
  statuses: [0, 1],
  errors: [{ action: 1, code: 'BAD_ARGUMENTS', message: 'the arguments do not fit' }],
})
const away = transactionOf('bob', 1, { actions: [{ to: named('there') }, {}], statuses: [2, 0], remote: 1 })
const waiting = transactionOf('bob', 2)
const hex = toHex
const bytes = z.instanceof(Uint8Array)

beforeAll(async () => {
  test = await createGraphqlFixture()
  await test.tables.block({ shard: '0:0', height: 1, seconds: 1 }, alice.slice(0, 2))
  await test.tables.block(
    { shard: '0:1', height: 1, seconds: 2 },
    [failed, away],
    [['test.noted', { n: 1, from: Uint8Array.of(9) }, failed.id, 0]],
  )
  await test.tables.block({ shard: '0:0', height: 2, seconds: 3 }, alice.slice(2), [
    ['test.noted', { n: 2 }, away.id, 0],
  ])
  await test.tables.outcome(away.id, { shard: '0:0', height: 2 }, -1, [
    { action: 0, kind: 0, status: 0, code: '', message: '' },
  ])
  await test.tables.rootBlock(4, [{ shard: '0:0', height: 1 }])
  test.ledger.pending.set(hex(waiting.id), { id: waiting.id, status: 'PENDING', at: null, pending: waiting.wire })
  const cell = { realm: 0, shard: '0:0', deposit: 12n, height: 3 }
  const lanes = [
    [0, 3],
    [20, 1],
  ]
  for (const state of [
    { id: named('alice'), owner: 'account', balance: 10n ** 30n, value: [lanes, []], ...cell },
    { id: named('counter'), owner: 'counter', balance: 7n, value: { n: 5, key: Uint8Array.of(1) }, ...cell },
  ]) {
    test.ledger.cellStates.set(hex(state.id), state)
  }
})
afterAll(() => test?.stop())
beforeEach(() => {
  test.ledger.calls.length = 0
})

describe('a transaction', () => {
  const fields = `
    id sender realm key lane nonce validUntil maxFee status error { code message } shard { id }
    block { height hash } index fee createdAt bytes
    actions { to realm call args value status error { code } shard { id } block { height } events { topic payload } }`
  const document = `query ($id: Bytes!) { transaction(id: $id) { ${fields} } }`

  it('is shown whole', async () => {
    const answer = await test.query(document, { id: hex(failed.id) })
    expect(pick(answer, 'transaction')).toMatchObject({
      id: hex(failed.id),
      sender: hex(named('bob')),
      realm: 0,
      key: hex(named('bob')),
      lane: 0,
      nonce: '0',
      validUntil: '100',
      maxFee: '1000',
      status: 'FAILED',
      error: { code: 'BAD_ARGUMENTS', message: 'the arguments do not fit' },
      shard: { id: '0:1' },
      block: { height: '1' },
      index: 0,
      fee: '91',
      createdAt: '2026-01-01T00:00:02.000Z',
      bytes: hex(failed.wire),
      actions: [
        {
          to: hex(named('receiver')),
          call: 'account.credit',
          value: '1',
          status: 'DONE',
          error: null,
          events: [{ topic: 'test.noted', payload: { n: 1, from: '0x09' } }],
        },
        {
          call: 'test.note',
          args: { blob: '0x01ff', big: (2n ** 70n).toString(), n: 7 },
          status: 'REFUSED',
          error: { code: 'BAD_ARGUMENTS' },
          shard: { id: '0:1' },
          block: { height: '1' },
          events: [],
        },
      ],
    })
  })

  it('shows its actions where they ran in other shards', async () => {
    const answer = await test.query(document, { id: hex(away.id) })
    expect(pick(answer, 'transaction')).toMatchObject({ status: 'EXECUTED', error: null, shard: { id: '0:1' } })
    expect(pick(answer, 'transaction.actions')).toMatchObject([
      { status: 'DONE', shard: { id: '0:0' }, block: { height: '2' }, events: [{ payload: { n: 2 } }] },
      { status: 'DONE', shard: { id: '0:1' }, block: { height: '1' }, events: [] },
    ])
  })

  it('is shown while it waits, from what the ledger holds', async () => {
    const answer = await test.query(document, { id: hex(waiting.id) })
    expect(pick(answer, 'transaction')).toMatchObject({
      status: 'PENDING',
      nonce: '2',
      block: null,
      index: null,
      fee: null,
      createdAt: null,
      shard: { id: (named('bob')[0] ?? 0) % 2 === 1 ? '0:1' : '0:0' },
      actions: [{ status: 'PENDING', block: null, events: [] }],
    })
  })

  it('is null if nobody knows it, and a wrong id is named as such', async () => {
    const document = 'query ($id: Bytes!) { transaction(id: $id) { id } }'
    expect(await test.query(document, { id: hex(named('?')) })).toEqual({ transaction: null })
    expect(await test.refusal(document, { id: '0x0102' })).toBe('BAD_USER_INPUT')
  })

  it('says why it ended without a block', async () => {
    const lost = transactionOf('bob', 3)
    test.ledger.pending.set(hex(lost.id), { id: lost.id, status: 'EXPIRED', at: null, pending: lost.wire })
    expect(
      await test.query('query ($id: Bytes!) { transaction(id: $id) { status error { code } nonce } }', {
        id: hex(lost.id),
      }),
    ).toEqual({ transaction: { status: 'EXPIRED', error: { code: 'EXPIRED' }, nonce: '3' } })
  })

  it('is proven to be in its block', async () => {
    const answer = await test.query(
      'query ($id: Bytes!) { transaction(id: $id) { inclusionProof block { hash header } } }',
      { id: hex(away.id) },
    )
    const proof = decode(fromHex(pickText(answer, 'transaction.inclusionProof')))
    const [header, receipt, path] = z.tuple([bytes, bytes, bytes]).parse(proof)
    expect(hex(headerHash(header))).toBe(pick(answer, 'transaction.block.hash'))
    expect(hex(header)).toBe(pick(answer, 'transaction.block.header'))
    expect(verifyListProof(decodeHeader(header).txRoot, receipt, decodeListProof(path))).toBe(true)
    expect(hex(readReceipt(new Reader(receipt)).id)).toBe(hex(away.id))
  })
})

describe('blocks', () => {
  it('show their header', async () => {
    const answer = await test.query(`{
      block(shard: "0:0", height: 1) {
        id shard { id } height hash prevHash rootCursor txRoot outRoot stateRoot deferredRoot basePrice txCount weight
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

describe('lists of transactions', () => {
  const ids = (answer: unknown) => pick(answer, 'transactions.edges.*.node.id')

  it('are filtered by sender, shard and status', async () => {
    const list = (args: string, variables = {}) =>
      test.query(
        `query ($sender: Bytes) { transactions(${args}, sender: $sender) { edges { node { id } } } }`,
        variables,
      )
    expect(ids(await list('first: 2'))).toEqual([hex(alice[2]!.id), hex(away.id)])
    expect(ids(await list('first: 2', { sender: hex(named('alice')) }))).toEqual(
      alice
        .slice(1)
        .reverse()
        .map(({ id }) => hex(id)),
    )
    expect(ids(await list('shard: "0:1"'))).toEqual([hex(away.id), hex(failed.id)])
    expect(ids(await list('status: FAILED'))).toEqual([hex(failed.id)])
    expect(ids(await list('shard: "0:1", status: EXECUTED'))).toEqual([hex(away.id)])
    expect(await test.refusal('{ transactions(status: PENDING) { edges { cursor } } }')).toBe('STATUS_NOT_LISTED')
  })

  it('go on page by page', async () => {
    const seen: unknown[] = []
    let after: unknown
    do {
      const page = await test.query(
        'query ($after: Cursor) { transactions(first: 2, after: $after) { edges { node { id } } pageInfo { endCursor hasNextPage } } }',
        { after },
      )
      seen.push(...z.array(z.string()).parse(ids(page)))
      after = pick(page, 'transactions.pageInfo.hasNextPage')
        ? pick(page, 'transactions.pageInfo.endCursor')
        : undefined
    } while (after !== undefined)
    expect(seen).toHaveLength(5)
    expect(new Set(seen).size).toBe(5)
  })

  it('load their relations in batches', async () => {
    const nested = (first: number) => `{
      blocks(first: ${first}) { edges { node {
        hash rootBlock { height }
        transactions(first: 5) { edges { node {
          status fee error { code } block { hash } shard { id }
          actions { status shard { id } block { hash rootBlock { height } } events { topic } }
        } } }
      } } }
    }`
    const few = await test.statements(nested(1))
    const many = await test.statements(nested(3))
    expect(many.length).toBeLessThanOrEqual(8)
    // The block where a message arrived is another level of the tree, whatever the number of blocks.
    expect(many.length - few.length).toBeLessThanOrEqual(2)
  })
})

describe('accounts and cells', () => {
  it('show balance and lanes, and 0 for an address that nobody used', async () => {
    const document = `query ($address: Bytes!) {
      account(address: $address) { address realm balance deposit lanes { lane nextNonce } keys shard { id } }
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
        keys: [],
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

describe('shards', () => {
  it('show what they are doing and where they come from', async () => {
    const answer = await test.query(`{
      shards { edges { node { id realm prefix height status load mempool { size bytes } } } }
      shard(id: "0:01") { parent { id children { id } } children { id } }
      none: shard(id: "9:") { id }
    }`)
    expect(pick(answer, 'shards.edges.*.node.id')).toEqual(['0:0', '0:01', '0:1'])
    const last = { prefix: '1', height: '3', mempool: { size: 2, bytes: 500 } }
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

describe('subscriptions', () => {
  it('follow blocks from a cursor on, of one shard or of all', async () => {
    const document = `subscription ($after: Cursor, $shard: String) {
      blocks(after: $after, shard: $shard) { shard { id } height cursor txCount }
    }`
    const live = await test.follow(document, { shard: '0:1' })
    const seen = [live.next()]
    await test.tables.block({ shard: '0:0', height: 11 }, [])
    await test.tables.block({ shard: '0:1', height: 11 }, [transactionOf('dora', 0)])
    test.host.node.events.wake()
    let block: unknown
    // What the fixture wrote may only now get its place in the stream.
    do block = pick((await (seen.shift() ?? live.next())).value, 'data.blocks')
    while (pick(block, 'height') === '1')
    expect(block).toMatchObject({ shard: { id: '0:1' }, height: '11', txCount: 1 })
    await live.return(undefined)

    const past = await test.follow(document, { after: pick(block, 'cursor') })
    await test.tables.block({ shard: '0:0', height: 12 }, [])
    test.host.node.events.wake()
    expect(pick((await past.next()).value, 'data.blocks')).toMatchObject({ shard: { id: '0:0' }, height: '12' })
    await past.return(undefined)
    const unknown = test.follow(document, { shard: '0:111' })
    await expect(unknown).rejects.toMatchObject({ extensions: { code: 'SHARD_UNKNOWN' } })
  })

  it('follow a transaction to its end, each time as it is then', async () => {
    const watched = transactionOf('erin', 0)
    const at = { shard: '0:0', height: 20 }
    test.ledger.pending.set(hex(watched.id), { id: watched.id, status: 'PENDING', at: null, pending: watched.wire })
    test.ledger.watched = [
      { id: watched.id, status: 'PENDING', at: null, pending: watched.wire },
      { id: watched.id, status: 'EXECUTED', at, pending: null },
    ]
    test.ledger.beforeWatched = async (index) => {
      if (index === 1) await test.tables.block(at, [watched])
    }
    const seen: unknown[] = []
    const document = 'subscription ($id: Bytes!) { transaction(id: $id) { status fee block { height } nonce } }'
    for await (const { data } of await test.follow(document, { id: hex(watched.id) })) seen.push(data?.transaction)
    expect(seen).toEqual([
      { status: 'PENDING', fee: null, block: null, nonce: '0' },
      { status: 'EXECUTED', fee: '91', block: { height: '20' }, nonce: '0' },
    ])
  })

  it('end with a code for a transaction that nobody knows', async () => {
    test.ledger.watched = []
    const stream = await test.follow('subscription ($id: Bytes!) { transaction(id: $id) { status } }', {
      id: hex(named('?')),
    })
    await expect(stream.next()).rejects.toMatchObject({ extensions: { code: 'TRANSACTION_UNKNOWN' } })
  })
})
