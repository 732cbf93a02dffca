import { expect, it } from 'vitest'
import { until } from '../../server/testing/program.ts'
import { UNITS } from './genesis.ts'
import { createTestChain, type TestChain, testKeyIn } from './testing.ts'

/** From its next start on, the ledger finds one unit less than it believes that there is. */
async function loseUnit(net: TestChain): Promise<void> {
  Object.assign(net.network, { supply: net.network.supply + 1n })
  await net.restart()
  await until(() => net.chain.fault !== undefined, 'the ledger finds it')
}

it('fails a test in whose story the supply was not conserved, even if the ledger was started again', async () => {
  const net = await createTestChain()
  await loseUnit(net)
  Object.assign(net.network, { supply: net.network.supply - 1n })
  await net.restart()
  await expect(net.close()).rejects.toThrow(/balances, deposits and values in flight sum to/)
})

it('lets a test be whose story is that', async () => {
  const net = await createTestChain({ hasFault: true })
  await loseUnit(net)
  await net.close()
})

it('takes no transactions once it found a fault, and says why', async () => {
  const alice = testKeyIn(0, 'alice')
  const net = await createTestChain({ hasFault: true, accounts: [{ key: alice, balance: UNITS }] })
  await loseUnit(net)
  const payment = net.sign({ key: alice, nonce: 0, actions: [{ to: alice.publicKey, call: 'account.credit' }] })
  const refusal = { code: 'SHARD_UNAVAILABLE', message: expect.stringMatching(/has halted .*in flight sum to/) }
  await expect(net.chain.submit([payment], { wait: 'INCLUDED' })).rejects.toMatchObject(refusal)
  await expect(net.chain.faucet(alice.publicKey)).rejects.toMatchObject(refusal)
  expect(net.chain.health()).toMatchObject({ ok: false, message: expect.stringContaining('in flight sum to') })
  await net.close()
})
