import { afterEach, describe, expect, it } from 'vitest'
import { cellId } from '../../protocol/index.ts'
import type { SubmitOutcome } from './api.ts'
import { sly, TRICKS } from './fixtures/sly.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { createTestChain, type TestChain, testKeyIn } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const cell = cellId('sly', alice.publicKey, new Uint8Array(0))
let net: TestChain
afterEach(() => net.close())

describe('a call that would give another result on another node', () => {
  it('is refused without a trace, and the shard goes on', async () => {
    net = await createTestChain({
      accounts: [{ key: alice, balance: 10_000_000n }],
      modules: [account, faucet, sly],
    })
    const tricks = Object.keys(TRICKS)
    const sendAll = (from: number) =>
      net.chain.submit(
        tricks.map((trick, i) => {
          const actions = [{ to: cell, call: 'sly.attempt', args: { trick }, value: 500n }]
          return net.sign({ key: alice, nonce: from + i, actions })
        }),
        { wait: 'EXECUTED' },
      )
    const statuses = (outcomes: readonly SubmitOutcome[]) =>
      tricks.map((trick, i) => `${trick}: ${outcomes[i]?.kind === 'accepted' && outcomes[i].status}`)
    const refused = tricks.map((trick) => `${trick}: FAILED`)
    expect(statuses(await sendAll(0))).toEqual(refused)
    // What they left behind to run later has had its turn by now.
    expect(statuses(await sendAll(tricks.length))).toEqual(refused)
    expect((await net.chain.cells(0, [cell]))[0]).toBeNull()
    expect(net.chain.health()).toEqual({ ok: true })
    expect((await net.settled()).total).toBe(net.network.supply)
  })
})
