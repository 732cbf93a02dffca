import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/index.ts'
import { assetId, holdingId, storeAmount } from '../modules/asset-cells.ts'
import { named } from '../query/written-ledger.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'

let test: GraphqlFixture
const points = assetId(named('issuer'), 'POINTS')
const cell = { realm: 0, shard: '0:0', owner: 'asset', balance: 0n, deposit: 1n, height: 3 }

beforeAll(async () => {
  test = await createGraphqlFixture()
  const holding = holdingId(points, named('alice'))
  for (const state of [
    {
      id: points,
      value: {
        symbol: 'POINTS',
        decimals: 2,
        issuer: named('issuer'),
        supply: storeAmount(2n ** 100n),
        cap: storeAmount(2n ** 127n),
      },
      ...cell,
    },
    { id: holding, value: { asset: points, holder: named('alice'), amount: storeAmount(42n) }, ...cell },
  ])
    test.ledger.cellStates.set(toHex(state.id), state)
})
afterAll(() => test?.stop())

describe('assets', () => {
  it('show what there is, and what an account holds', async () => {
    const answer = await test.query(
      `query ($asset: Bytes!, $alice: Bytes!, $bob: Bytes!) {
        asset(id: $asset) { symbol decimals issuer { address } supply cap }
        alice: account(address: $alice) { holding(asset: $asset) { address amount asset { symbol } } }
        bob: account(address: $bob) { holding(asset: $asset) { amount asset { symbol } } }
        none: asset(id: $alice) { symbol }
      }`,
      { asset: toHex(points), alice: toHex(named('alice')), bob: toHex(named('bob')) },
    )
    expect(answer).toEqual({
      asset: {
        symbol: 'POINTS',
        decimals: 2,
        issuer: { address: toHex(named('issuer')) },
        supply: String(2n ** 100n),
        cap: String(2n ** 127n),
      },
      alice: {
        holding: { address: toHex(holdingId(points, named('alice'))), amount: '42', asset: { symbol: 'POINTS' } },
      },
      bob: { holding: { amount: '0', asset: { symbol: 'POINTS' } } },
      none: null,
    })
    expect(await test.refusal('{ asset(id: "0x01") { symbol } }')).toBe('BAD_USER_INPUT')
  })
})
