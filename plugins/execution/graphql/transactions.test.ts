import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decode,
  decodeHeader,
  decodeListProof,
  fromHex,
  headerHash,
  Reader,
  readReceipt,
  toHex,
  verifyListProof,
} from '../../../protocol/index.ts'
import { named, transactionOf } from '../query/written-ledger.ts'
import type { GraphqlFixture } from './graphql-fixture.ts'
import { createStory, story } from './graphql-story.ts'
import { pick, pickText } from './pick.ts'

let test: GraphqlFixture
const { alice, failed, away, waiting } = story
const hex = toHex
const bytes = z.instanceof(Uint8Array)

beforeAll(async () => {
  test = await createStory()
})
afterAll(() => test?.stop())

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
      {
        status: 'DONE',
        shard: { id: '0:0' },
        block: { height: '2' },
        // An amount is text in JSON, however small it is.
        events: [{ payload: { n: 2 } }, { topic: 'execution.credited', payload: { value: '5' } }],
      },
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
    test.ledger.pending.set(hex(lost.id), { id: lost.id, status: 'EXPIRED', at: null, pending: null })
    expect(
      await test.query(
        'query ($id: Bytes!) { transaction(id: $id) { status error { code } nonce fee shard { id } actions { to } } }',
        {
          id: hex(lost.id),
        },
      ),
    ).toEqual({
      transaction: {
        status: 'EXPIRED',
        error: { code: 'EXPIRED' },
        nonce: null,
        fee: null,
        shard: null,
        actions: null,
      },
    })
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
