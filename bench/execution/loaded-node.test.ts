import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../node/audit.ts'
import { testBench } from '../testing.ts'
import { checked, type LoadedNode, startLoadedNode } from './loaded-node.ts'

const ACCOUNTS = 200
const TRANSACTIONS = 600
const scope = new AsyncDisposableStack()
let loaded: LoadedNode

beforeAll(async () => {
  loaded = await startLoadedNode(testBench(scope), { perRequest: 20, accounts: ACCOUNTS })
})
afterAll(() => scope.disposeAsync())

describe(`a node under a load of ${TRANSACTIONS} transfers`, () => {
  it('acknowledges all of them, and the audit finds them and every coin', async () => {
    const { generator, node } = loaded
    const { ready } = await generator.ask({ kind: 'sign', transactions: TRANSACTIONS })
    expect(ready).toBe(TRANSACTIONS)
    const pace = { kind: 'pace', perSecond: 100, seconds: 0.1, warmSeconds: 0 } as const
    const paced = checked(await generator.ask(pace))
    expect(paced).toMatchObject({ requests: 10, acknowledged: 200, ranOut: false })
    expect(paced.latencies.length).toBe(10)
    expect(checked(await generator.ask({ kind: 'single', count: 5, pauseMs: 1 })).acknowledged).toBe(100)
    const rest = checked(await generator.ask({ kind: 'flood', connections: 4, seconds: 600 }))
    expect(rest).toMatchObject({ acknowledged: TRANSACTIONS - 300, ranOut: true })
    await audit(node, { acknowledged: await generator.ask({ kind: 'acknowledged' }), accounts: ACCOUNTS })
  })

  it('fails the audit if one is missing, one is too many, or coins are', async () => {
    const { generator, node } = loaded
    const acknowledged = await generator.ask({ kind: 'acknowledged' })
    const madeUp = Uint8Array.from(acknowledged)
    madeUp[0] = (madeUp[0] ?? 0) ^ 1
    const failing = (ids: Uint8Array, accounts = ACCOUNTS) =>
      expect(audit(node, { acknowledged: ids, accounts })).rejects
    await failing(madeUp).toThrow(`${TRANSACTIONS} transactions were acknowledged, ${TRANSACTIONS - 1} of them`)
    await failing(acknowledged.subarray(32)).toThrow(`${TRANSACTIONS - 1} were submitted, ${TRANSACTIONS} are stored`)
    await failing(acknowledged, ACCOUNTS - 1).toThrow('balances and fees sum up to')
  })
})
