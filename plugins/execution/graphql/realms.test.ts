import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/index.ts'
import { encodeModuleEntry, encodeRealmEntry, moduleKey, realmKey } from '../root/exports.ts'
import { createGraphqlFixture, type GraphqlFixture } from './graphql-fixture.ts'

const creator = new Uint8Array(32).fill(5)
const REALMS = 12

let test: GraphqlFixture
beforeAll(async () => {
  test = await createGraphqlFixture()
  const sql = test.host.sql('execution')
  const put = (key: string, since: number, value: Uint8Array | null) =>
    sql`INSERT INTO export (key, since, value) VALUES (${key}, ${since}, ${value})`
  for (let n = 0; n < REALMS; n++)
    await put(realmKey(n), n, encodeRealmEntry({ creator: n === 0 ? null : creator, name: `realm ${n}` }))
  await put(moduleKey('account'), 0, encodeModuleEntry([[1, 0]]))
  await put(moduleKey('counter'), 0, encodeModuleEntry([[1, 0]]))
  await put(moduleKey('counter'), 8, encodeModuleEntry([[1, 0], [2, 500]])) // biome-ignore format: a list of pairs
  // Neighbours among the keys, which are none of these.
  await put('module', 0, encodeModuleEntry([[9, 0]]))
  await put('modules/x', 0, encodeModuleEntry([[9, 0]]))
  await put('realm', 0, null)
  await put('realms/1', 0, null)
})
afterAll(() => test?.stop())

describe('realms', () => {
  it('are listed by number, page after page', async () => {
    const seen: unknown[] = []
    let after: unknown = null
    do {
      const answer = (await test.query(
        'query ($after: Cursor) { realms(first: 5, after: $after) { edges { node { number name } } pageInfo { endCursor hasNextPage } } }',
        { after },
      )) as { realms: { edges: { node: unknown }[]; pageInfo: { endCursor: string; hasNextPage: boolean } } }
      seen.push(...answer.realms.edges.map(({ node }) => node))
      after = answer.realms.pageInfo.hasNextPage ? answer.realms.pageInfo.endCursor : null
    } while (after !== null)
    expect(seen).toEqual(Array.from({ length: REALMS }, (_, number) => ({ number, name: `realm ${number}` })))
  })

  it('say who made them, and which shards they have', async () => {
    const fields = '{ number since creator { address } shards { id } }'
    expect(await test.query(`{ realm(number: 0) ${fields} other: realm(number: 11) ${fields} }`)).toEqual({
      realm: { number: 0, since: '0', creator: null, shards: [{ id: '0:0' }, { id: '0:1' }, { id: '0:01' }] },
      other: { number: 11, since: '11', creator: { address: toHex(creator) }, shards: [] },
    })
    expect(await test.query('{ realm(number: 12) { name } }')).toEqual({ realm: null })
    expect(await test.refusal('{ realm(number: -1) { name } }')).toBe('BAD_USER_INPUT')
  })
})

describe('the network’s modules', () => {
  it('are shown with what this node lacks', async () => {
    expect(await test.query('{ network { modules { name version status activeFrom problem } } }')).toEqual({
      network: {
        modules: [
          {
            name: 'account',
            version: 1,
            status: 'ACTIVE',
            activeFrom: '0',
            problem: expect.stringContaining('plugin'),
          },
          { name: 'counter', version: 1, status: 'ACTIVE', activeFrom: '0', problem: expect.any(String) },
          { name: 'counter', version: 2, status: 'SCHEDULED', activeFrom: '500', problem: expect.any(String) },
        ],
      },
    })
  })
})
