import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT_REALM, toHex } from '../../../protocol/index.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'

const id = new Uint8Array(32).fill(7)
let test: GraphqlFixture

beforeAll(async () => {
  test = await createGraphqlFixture()
  const value = { realm: 1, name: 'games' }
  const cell = { id, realm: ROOT_REALM, shard: 'root', owner: 'realm', balance: 1000n, deposit: 5n, height: 3, value }
  test.ledger.cellStates.set(toHex(id), cell)
})
afterAll(() => test?.stop())

describe('a cell of the root chain', () => {
  it('is found by saying so, as no Int names its realm', async () => {
    const fields = '{ owner realm balance value shard { id } }'
    const answer = await test.query(`query ($id: Bytes!) { cell(id: $id, onRoot: true) ${fields} }`, { id: toHex(id) })
    expect(answer).toEqual({
      cell: { owner: 'realm', realm: null, balance: '1000', value: { realm: 1, name: 'games' }, shard: { id: 'root' } },
    })
    const both = `{ cell(id: "${toHex(id)}", onRoot: true, realm: 0) { owner } }`
    expect(await test.refusal(both)).toBe('BAD_USER_INPUT')
    expect(await test.query('{ network { randomness } }')).toEqual({ network: { randomness: 'SINGLE_OPERATOR' } })
  })
})
