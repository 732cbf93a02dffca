import { parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  encodeBlockProof,
  fromHex,
  rootOfProof,
  toHex,
  verifyRootedBlock,
  verifyRootedMessages,
  verifyRootedTransaction,
} from '../../../protocol/index.ts'
import { costOf } from '../../../server/graphql/cost.ts'
import { DEFAULT_LIMITS } from '../../../server/graphql/limits.ts'
import { RootProofs } from '../proofs/root-proofs.ts'
import { transactionOf } from '../query/written-ledger.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'
import { pick, pickText } from './pick.ts'
import { told } from './told.ts'

let test: GraphqlFixture
let height = 3
const paid = transactionOf('alice', 0)
const late = transactionOf('alice', 1)

beforeAll(async () => {
  test = await createGraphqlFixture()
  test.ledger.rootHeight = () => height
  await test.tables.block({ shard: '0:0', height: 7 }, [paid])
  await test.tables.block({ shard: '0:1', height: 2 }, [])
  await test.tables.rootBlock(1, [{ shard: '0:1', height: 2 }])
  await test.tables.rootBlock(2, [])
  await test.tables.rootBlock(3, [{ shard: '0:0', height: 7 }])
})
afterAll(() => test?.stop())

describe('root blocks', () => {
  it('are found by height, and the newest without one', async () => {
    const parts = '{ height cursor hash header votes prevHash headersRoot stateRoot outRoot exportsRoot time }'
    const answer = await test.query(`{ one: rootBlock(height: 1) ${parts} newest: rootBlock ${parts} }`)
    expect(pick(answer, 'one')).toMatchObject({ height: '1', cursor: '1' })
    expect(pick(answer, 'newest')).toMatchObject({ height: '3', cursor: '3' })
    expect(await test.query('{ a: rootBlock(height: 99) { height } b: rootBlock(height: -1) { height } }')).toEqual({
      a: null,
      b: null,
    })
  })

  it('are listed from any height on', async () => {
    const list = async (args: string) =>
      pick(await test.query(`{ rootBlocks(${args}) { edges { node { height } } } }`), 'rootBlocks.edges.*.node.height')
    expect(await list('first: 2')).toEqual(['1', '2'])
    expect(await list('first: 10, after: "1"')).toEqual(['2', '3'])
    expect(await list('last: 1')).toEqual(['3'])
    expect(await test.refusal('{ rootBlocks(after: "x") { edges { cursor } } }')).toBe('BAD_CURSOR')
    expect(await test.refusal('{ rootBlocks(after: "-1") { edges { cursor } } }')).toBe('BAD_CURSOR')
  })

  it('are followed without a gap, however far behind one begins', async () => {
    const document = 'subscription ($after: Cursor) { rootBlocks(after: $after) { height } }'
    const past = await test.follow(document, { after: '1' })
    const live = await test.follow(document)
    const next = live.next()
    const heights = [await past.next(), await past.next()]
    await test.tables.rootBlock(4, [])
    height = 4
    heights.push(await past.next())
    expect(heights.map(({ value }) => pick(value, 'data.rootBlocks.height'))).toEqual(['2', '3', '4'])
    expect(pick((await next).value, 'data.rootBlocks.height')).toBe('4')
    await past.return(undefined)
    await live.return(undefined)
    await expect(test.follow(document, { after: '01' })).rejects.toMatchObject({ extensions: { code: 'BAD_CURSOR' } })
  })
})

describe('proofs that lead to a root block', () => {
  it('that are large, or take long, are given to one query a few at a time', () => {
    const isTaken = (query: string): boolean => {
      const document = parse(query)
      const [operation] = document.definitions
      if (operation?.kind !== 'OperationDefinition') throw new TypeError('it is an operation')
      return costOf(test.host.schema, document, operation)({}) <= DEFAULT_LIMITS.cost
    }
    for (const field of ['blocks', 'rootBlocks']) {
      const messages = (first: number) =>
        `{ ${field}(first: ${first}) { edges { node { messagesProof(to: "0:1") } } } }`
      expect(isTaken(messages(2))).toBe(true)
      expect(isTaken(messages(10))).toBe(false)
    }
    for (const proof of ['inclusionProof', 'rootedProof']) {
      const page = `transactions(first: 100) { edges { node { ${proof} } } }`
      expect(isTaken(`{ ${page} }`)).toBe(true)
      expect(isTaken(`{ a: ${page} b: ${page} c: ${page} }`)).toBe(false)
    }
  })

  it('are given of a block, its transactions and its messages', async () => {
    const answer = await test.query(
      `query ($id: Bytes!) {
        block(shard: "0:0", height: 7) { rootBlock { hash } rootProof messagesProof(to: "0:1") }
        transaction(id: $id) { rootedProof }
      }`,
      { id: toHex(paid.id) },
    )
    const trusted = fromHex(pickText(answer, 'block.rootBlock.hash'))
    const at = { shard: '0:0', height: 7 }
    expect(verifyRootedBlock(fromHex(pickText(answer, 'block.rootProof')), at, trusted).root.height).toBe(3)
    const messages = fromHex(pickText(answer, 'block.messagesProof'))
    expect(verifyRootedMessages(messages, at, '0:1', trusted).items).toEqual([])
    const rooted = fromHex(pickText(answer, 'transaction.rootedProof'))
    expect(verifyRootedTransaction(rooted, paid.id, trusted).receipt.fee).toBe(91n)
    expect(await test.refusal('{ block(shard: "0:0", height: 7) { messagesProof(to: "0:2") } }')).toBe('BAD_USER_INPUT')
  })

  it('wait for the root block that lists a new one', async () => {
    await test.tables.block({ shard: '0:0', height: 8 }, [late])
    const document = 'query ($id: Bytes!) { transaction(id: $id) { rootedProof block { rootProof } } }'
    const waiting = test.query(document, { id: toHex(late.id) })
    await test.tables.rootBlock(5, [{ shard: '0:0', height: 8 }])
    height = 5
    const answer = await waiting
    const proofs = ['rootedProof', 'block.rootProof'].map((path) => fromHex(pickText(answer, `transaction.${path}`)))
    for (const proof of proofs) expect(rootOfProof(proof).root.height).toBe(5)
  })

  it('are refused at once if the root block that lists it is older than all that is here', async () => {
    // As after a snapshot: a later block of the shard is listed, and the listing of this one is not known.
    await test.tables.block({ shard: '0:1', height: 1 }, [])
    expect(await test.refusal('{ block(shard: "0:1", height: 1) { rootProof } }')).toBe('HISTORY_MISSING')
  })

  it('are refused with a code when no root block comes', async () => {
    await test.tables.block({ shard: '0:0', height: 9 }, [])
    const header = pickText(await test.query('{ block(shard: "0:0", height: 9) { header } }'), 'block.header')
    const proofs = new RootProofs(
      () => test.host.sql('execution'),
      () => height,
      100,
    )
    const proof = told(() => proofs.lead(encodeBlockProof(fromHex(header))))
    await expect(proof).rejects.toMatchObject({ extensions: { code: 'NOT_LISTED_YET' } })
  })
})
