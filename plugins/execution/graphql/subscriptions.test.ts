import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/index.ts'
import { named, transactionOf } from '../query/written-ledger.ts'
import type { GraphqlFixture } from './graphql-fixture.ts'
import { createStory } from './graphql-story.ts'
import { pick } from './pick.ts'

let test: GraphqlFixture
const hex = toHex

beforeAll(async () => {
  test = await createStory()
})
afterAll(() => test?.stop())

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
