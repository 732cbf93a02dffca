import { describe, expect, it } from 'vitest'
import { cellPath, toHex } from '../../protocol/index.ts'
import { type LoadPlan, Transfers } from './plan.ts'

const plan: LoadPlan = { network: new Uint8Array(32), accounts: 200, actions: 1, crossing: 'half', validUntil: 9 }
const ROUNDS = 4

function taken(changes: Partial<LoadPlan>) {
  const transfers = new Transfers({ ...plan, ...changes })
  return Array.from({ length: ROUNDS * plan.accounts }, (_, number) => transfers.at(number).fields)
}

const side = (address: Uint8Array) => (cellPath(address)[0] ?? 0) >> 7

describe('the transfers of a load', () => {
  it('use the nonces of every account in order', () => {
    const nonces = new Map<string, number[]>()
    for (const { sender, nonce } of taken({})) {
      const key = toHex(sender)
      nonces.set(key, [...(nonces.get(key) ?? []), nonce])
    }
    expect(nonces.size).toBe(plan.accounts)
    for (const used of nonces.values()) expect(used).toEqual(Array.from({ length: ROUNDS }, (_, i) => i))
  })

  it.each([
    [{}, 0.5],
    [{ actions: 7 }, 0.5],
    [{ crossing: 'all' as const }, 1],
  ])('cross shards as %o says', (changes, share) => {
    const all = taken(changes)
    const crossing = all.flatMap(({ sender, actions }) => actions.filter(({ to }) => side(to) !== side(sender)))
    expect(crossing.length).toBe(share * all.length * (all[0]?.actions.length ?? 0))
  })

  it('let every account cross at some time, and receive', () => {
    const all = taken({})
    const crossed = all.filter(({ sender, actions }) => side(actions[0]?.to ?? sender) !== side(sender))
    expect(new Set(crossed.map(({ sender }) => toHex(sender))).size).toBe(plan.accounts)
    const receivers = new Set(all.flatMap(({ actions }) => actions.map(({ to }) => toHex(to))))
    expect(receivers.size).toBeGreaterThan(0.9 * plan.accounts)
  })
})
