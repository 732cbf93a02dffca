import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Client,
  document,
  fromHex,
  isClientError,
  keyPairFromSeed,
  signTransaction,
  transfer,
} from '../../../client/index.ts'
import { OTHERS } from '../node/payers.ts'
import type { Random } from '../random.ts'

const subscription = document<{ readonly transaction: { readonly status: string } }, { readonly id: string }>(
  'subscription Transaction($id: Bytes!) { transaction(id: $id) { status } }',
)
const ORDER = ['PENDING', 'INCLUDED', 'EXECUTED']

/** Payments of one lane of an account, one after the other, each watched until its end over connections that are cut. */
export class WatchedPayments {
  readonly #client: Client
  readonly #network: string
  readonly #lane: number
  readonly #random: Random
  readonly #first: number
  /** Payments that were seen to their end. */
  seen = 0
  /** How often it was told that the node cannot say now, and asked again. */
  unavailable = 0
  #running = true
  #watching: Promise<void> = Promise.resolve()

  /** @param first the first nonce: how many payments the lane has seen */
  constructor(client: Client, network: string, lane: number, random: Random, first = 0) {
    this.#client = client
    this.#network = network
    this.#lane = lane
    this.#random = random
    this.#first = first
  }

  start(): void {
    this.#watching = this.#payAndWatch()
    this.#watching.catch(() => undefined)
  }

  /** @throws what a watcher must never see */
  async stop(): Promise<void> {
    this.#running = false
    await this.#watching
  }

  async #payAndWatch(): Promise<void> {
    const [payer, ...rest] = OTHERS
    assert.ok(payer !== undefined)
    const keys = keyPairFromSeed(payer.secretKey.subarray(0, 32))
    for (let nonce = this.#first; this.#running; nonce++) {
      // Within the shard and across by turns.
      const to = nonce % 2 === 0 ? keys.publicKey : rest[0]?.publicKey
      assert.ok(to !== undefined)
      const fields = {
        network: fromHex(this.#network),
        realm: 0,
        lane: this.#lane,
        nonce,
        validUntil: 10_000_000,
        maxFee: 1000n,
      }
      const { id, wire } = signTransaction({ ...fields, actions: [transfer(to, 1n)] }, keys)
      await this.#submit(wire)
      await this.#watch(id)
      this.seen++
    }
  }

  /** The SDK itself insists, but gives up one day. */
  async #submit(wire: Uint8Array): Promise<void> {
    for (;;) {
      try {
        await this.#client.submit(wire, { wait: 'NONE' })
        return
      } catch (error) {
        if (!isClientError(error, 'UNREACHABLE')) throw error
        this.unavailable++
      }
    }
  }

  /** Every connection tells the present state at once, then later ones only; the last tells the end. */
  async #watch(id: string): Promise<void> {
    let last = ''
    while (last !== 'EXECUTED') {
      const statuses: string[] = []
      try {
        for await (const { transaction } of this.#client.subscribe(subscription, { id }))
          statuses.push(transaction.status)
        assert.equal(statuses.at(-1), 'EXECUTED', `${id} was told ${statuses.join(', ')}, and no more`)
      } catch (error) {
        if (isClientError(error, 'UNREACHABLE')) this.unavailable++
        else if (!isClientError(error, 'DISCONNECTED')) throw error
      }
      const places = statuses.map((status) => ORDER.indexOf(status))
      const isOrdered = places.every((place, i) => place >= 0 && (i === 0 || place > (places[i - 1] ?? 0)))
      assert.ok(isOrdered, `${id} was told ${statuses.join(', ')}`)
      last = statuses.at(-1) ?? last
      await sleep(this.#random.below(5))
    }
  }
}
