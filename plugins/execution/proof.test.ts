import { afterEach, describe, expect, it } from 'vitest'
import { cellId, equal, verifyCellProof } from '../../protocol/index.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from './testing.ts'

const alice = testKeyIn(0, 'alice')
const others = Array.from({ length: 40 }, (_, i) => testKey(`other ${i}`))

let net: TestChain
afterEach(() => net.close())

async function prove(id: Uint8Array): Promise<Uint8Array> {
  const proof = await net.chain.proof(0, id)
  if (proof === null) throw new Error('realm 0 has no shard for this cell')
  return proof
}

describe('a cell proof', () => {
  it('shows what a cell is, against the header of a stored block', async () => {
    net = await createTestChain({ accounts: [{ key: alice, balance: 1_000_000n }] })
    await net.chain.submit(
      others.map((key, nonce) => net.transfer(alice, key, 100n, nonce)),
      { wait: 'EXECUTED' },
    )
    for (const key of [alice, ...others]) {
      const proven = verifyCellProof(await prove(key.publicKey), key.publicKey)
      expect(proven?.cell?.balance).toBe(await net.balance(key))
      const { shard = '', height = -1 } = proven?.header ?? {}
      const [block] = await net.sql<{ hash: Uint8Array }[]>`
        SELECT hash FROM block WHERE shard = ${shard} AND height = ${height}`
      expect(block !== undefined && proven !== undefined && equal(block.hash, proven.headerHash)).toBe(true)
    }
  })

  it('shows that there is none: an empty slot, or the only other cell there', async () => {
    net = await createTestChain({ accounts: others.map((key) => ({ key, balance: 5n })) })
    for (let i = 0; i < 60; i++) {
      const id = cellId('nobody', alice.publicKey, Uint8Array.of(i))
      expect(verifyCellProof(await prove(id), id)?.cell).toBeNull()
      // The proof of one absence is not that of another cell's.
      const present = others[i % others.length]?.publicKey ?? id
      expect(verifyCellProof(await prove(id), present)).toBeUndefined()
    }
  })

  it('holds under load, after a restart, and does not survive a flipped bit', async () => {
    net = await createTestChain({ accounts: [{ key: alice, balance: 1_000_000n }] })
    let isBusy = true
    const load = (async () => {
      for (let nonce = 0; isBusy; nonce += 20) {
        const wires = Array.from({ length: 20 }, (_, i) => net.transfer(alice, others[i] ?? alice, 1n, nonce + i))
        await net.chain.submit(wires, { wait: 'INCLUDED' })
      }
    })()
    for (let i = 0; i < 50; i++) {
      const { publicKey } = others[i % 25] ?? alice
      expect(verifyCellProof(await prove(publicKey), publicKey)).toBeDefined()
    }
    isBusy = false
    await load
    await net.restart()
    const proof = await prove(alice.publicKey)
    expect(verifyCellProof(proof, alice.publicKey)?.cell?.balance).toBe(await net.balance(alice))
    const trusted = verifyCellProof(proof, alice.publicKey)?.headerHash ?? new Uint8Array(0)
    for (let bit = 0; bit < 8 * proof.length; bit += 3) {
      const forged = proof.slice()
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const proven = verifyCellProof(forged, alice.publicKey)
      // A changed header can only be another header: not the one that the root chain commits.
      expect(proven === undefined || !equal(proven.headerHash, trusted)).toBe(true)
    }
  })
})
