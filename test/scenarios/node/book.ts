import { strict as assert } from 'node:assert'
import { encodeTransaction, encodeUnsigned, signingBytes, toHex, transactionId } from '../../../protocol/index.ts'
import { type SigningKey, sign } from '../../../server/crypto/ed25519.ts'
import { PAYER_BALANCE, PAYERS } from './payers.ts'

/** A payment that was signed. */
export interface Payment {
  /** 0x-hex. */
  readonly id: string
  readonly wire: Uint8Array
  readonly from: SigningKey
  readonly to: SigningKey
  readonly value: bigint
  readonly fee: bigint
  /** True once a client was told INCLUDED or more: from then on it must never be lost. */
  acknowledged: boolean
}

/** Weights as the ledger's rules have them, counted here on their own: what a transfer costs is part of the model. */
const feeOf = (wire: Uint8Array): bigint => BigInt(10 + Math.ceil(wire.length / 64) + 3)

const VALID_FOR = 10_000_000

/** What the payers signed, and what each must own once all of it is executed, each payment once. */
export class Book {
  readonly #network: Uint8Array
  readonly #payments: Payment[] = []
  readonly #nonces = new Map<SigningKey, number>()
  #audited = 0

  /** @param network id of the network, 32 bytes */
  constructor(network: Uint8Array) {
    this.#network = network
  }

  get size(): number {
    return this.#payments.length
  }

  get acknowledged(): number {
    return this.#payments.filter((payment) => payment.acknowledged).length
  }

  /** Payments since the last audit. */
  get unaudited(): readonly Payment[] {
    return this.#payments.slice(this.#audited)
  }

  /** What an account has signed so far. */
  of(key: SigningKey): readonly Payment[] {
    return this.#payments.filter(({ from }) => from === key)
  }

  /** The unaudited ones are known to be executed, all of them. */
  close(): void {
    this.#audited = this.#payments.length
  }

  /** Signs the next payment of an account. */
  pay(from: SigningKey, to: SigningKey, value: bigint): Payment {
    const nonce = this.nextNonce(from)
    this.#nonces.set(from, nonce + 1)
    const unsigned = encodeUnsigned({
      network: this.#network,
      realm: 0,
      sender: from.publicKey,
      key: from.publicKey,
      lane: 0,
      nonce,
      validUntil: VALID_FOR,
      maxFee: 1000n,
      actions: [{ to: to.publicKey, realm: 0, call: 'account.credit', args: {}, value }],
    })
    const wire = encodeTransaction(unsigned, sign(signingBytes(unsigned), from))
    const id = toHex(transactionId(unsigned))
    const payment = { id, wire, from, to, value, fee: feeOf(wire), acknowledged: false }
    this.#payments.push(payment)
    return payment
  }

  nextNonce(key: SigningKey): number {
    return this.#nonces.get(key) ?? 0
  }

  /** Balances of PAYERS, in their order, once everything signed is executed. */
  balances(): bigint[] {
    const balances = new Map(PAYERS.map((key) => [key, PAYER_BALANCE]))
    const add = (key: SigningKey, value: bigint): void => {
      const before = balances.get(key)
      assert.ok(before !== undefined, 'only payers are paid')
      balances.set(key, before + value)
    }
    for (const { from, to, value, fee } of this.#payments) {
      add(from, -value - fee)
      add(to, value)
    }
    return PAYERS.map((key) => balances.get(key) ?? 0n)
  }
}
