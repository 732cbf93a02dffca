import { array, assert, constantFrom, property } from 'fast-check'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { cellPath, encodeOutItem, type Message } from '../../../protocol/index.ts'
import { call, ledgerModule } from '../ledger/module.ts'
import { CallRegistry } from '../ledger/registry.ts'
import { MAX_BLOCK_WEIGHT, TRANSACTION_SHARE } from '../ledger/rules.ts'
import { planInbound, weightOfAll } from './inbound-plan.ts'
import type { DeferredMessage, RootDelivery } from './inbox.ts'

const BUDGET = MAX_BLOCK_WEIGHT * (1 - TRANSACTION_SHARE)
/** The last one is heavier than all messages of a block together may be: it runs alone. */
const WEIGHTS = [1, 7_000, 60_000, 100_000, BUDGET + 50_000]

const calls = Object.fromEntries(
  WEIGHTS.map((weight) => [
    `weighs${weight}`,
    call({ args: z.strictObject({}), weight: () => BigInt(weight), apply: () => undefined }),
  ]),
)
const registry = new CallRegistry([ledgerModule('load', { url: import.meta.url, version: 1, home: 'shard', calls })])
const cell = new Uint8Array(32).fill(9)

let serial = 0
function message(weight: number): Message {
  serial++
  const from = cell
  const parts = { from, fromRealm: 0, to: cell, realm: 0, payer: from, payerRealm: 0, code: '', origin: cell }
  return {
    kind: 'call',
    action: 0,
    module: 'account',
    call: `load.weighs${weight}`,
    args: {},
    value: BigInt(serial),
    ...parts,
  }
}

function delivery(height: number, messages: readonly Message[]): RootDelivery {
  const items = Buffer.concat(
    messages.map((one, index) => encodeOutItem({ realm: 0, destPath: cellPath(one.to), index, message: one })),
  )
  const sources = items.length === 0 ? [] : [{ shard: '0:1', height, items }]
  return { height, time: height, random: new Uint8Array(32), exports: [], sources }
}

it('runs every message once and in order, within its part of a block, and knows what waits', () => {
  const blocks = array(array(constantFrom(...WEIGHTS), { maxLength: 12 }), { maxLength: 12, size: 'max' })
  assert(
    property(blocks, (rounds) => {
      const sent: Message[] = []
      const ran: Message[] = []
      let waiting: readonly DeferredMessage[] = []
      let weight = 0
      let arrived = 0
      let value = 0n
      const block = (weights: readonly number[], height: number): void => {
        const messages = weights.map(message)
        sent.push(...messages)
        const plan = planInbound(registry, waiting, [delivery(height, messages)], arrived, weight)
        expect(plan.weight <= BUDGET || plan.now.length === 1).toBe(true)
        if (plan.waiting.length > 0) expect(plan.now.length).toBeGreaterThan(0)
        ran.push(...plan.now)
        value += plan.waitingValue
        arrived += plan.arrived
        weight = plan.waitingWeight
        waiting = plan.waiting
        expect(weight).toBe(weightOfAll(registry, waiting, undefined))
        expect(value).toBe(waiting.reduce((sum, one) => sum + one.message.value, 0n))
      }
      for (const [height, weights] of rounds.entries()) block(weights, height + 1)
      for (let height = rounds.length + 1; waiting.length > 0; height++) block([], height)
      expect(ran.map(({ value: id }) => id)).toEqual(sent.map(({ value: id }) => id))
      expect([weight, value, arrived]).toEqual([0, 0n, sent.length])
    }),
    { numRuns: 200 },
  )
})
