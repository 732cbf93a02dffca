import { strict as assert } from 'node:assert'
import { cellId, toHex } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'

/** What an account keeps count of. */
export interface Party {
  readonly key: SigningKey
  /** The diary that it writes into itself, and how many numbers it has sent there. */
  readonly diary: Uint8Array
  /** A cell that hands numbers on to a diary of its own. */
  readonly clerk: Uint8Array
  readonly clerksDiary: Uint8Array
  noted: number
  dictated: number
  /** The next nonce of each lane that it used. */
  readonly nonces: Map<number, number>
}

const NO_SALT = new Uint8Array(0)

export function newParty(key: SigningKey): Party {
  const clerk = cellId('clerk', key.publicKey, NO_SALT)
  return {
    key,
    diary: cellId('diary', key.publicKey, NO_SALT),
    clerk,
    clerksDiary: cellId('diary', clerk, NO_SALT),
    noted: 0,
    dictated: 0,
    nonces: new Map(),
  }
}

/** The ledger as one could keep it on paper: what every cell is worth, balance and deposit together. */
export class LedgerModel {
  readonly #worth = new Map<string, bigint>()
  /** What the transactions of this round spend; what they bring counts from the next one on. */
  readonly #spent = new Map<string, bigint>()
  /** What they may take as fees, until it is known what they took. */
  readonly #held = new Map<string, bigint>()
  readonly #incoming: (readonly [id: Uint8Array, value: bigint])[] = []

  set(id: Uint8Array, worth: bigint): void {
    this.#worth.set(toHex(id), worth)
  }

  /** What an account can spend for sure, in whatever order this round's transactions run. */
  available(id: Uint8Array): bigint {
    const key = toHex(id)
    return (this.#worth.get(key) ?? 0n) - (this.#spent.get(key) ?? 0n) - (this.#held.get(key) ?? 0n)
  }

  /** Keeps value back for a fee. */
  hold(id: Uint8Array, value: bigint): void {
    const key = toHex(id)
    assert.ok(this.available(id) >= value, 'the model holds only what is there')
    this.#held.set(key, (this.#held.get(key) ?? 0n) + value)
  }

  /** All fees of this round are known: what was kept back for them is free again. */
  release(): void {
    this.#held.clear()
  }

  /** Moves value in this round. */
  move(from: Uint8Array, to: Uint8Array, value: bigint): void {
    const key = toHex(from)
    assert.ok(this.available(from) >= value, 'the model spends only what is there')
    this.#spent.set(key, (this.#spent.get(key) ?? 0n) + value)
    this.#incoming.push([to, value])
  }

  /** Ends the round: all of its transactions ran to their end. */
  settle(): void {
    for (const [key, value] of this.#spent) this.#worth.set(key, (this.#worth.get(key) ?? 0n) - value)
    this.#spent.clear()
    for (const [id, value] of this.#incoming.splice(0)) {
      const key = toHex(id)
      this.#worth.set(key, (this.#worth.get(key) ?? 0n) + value)
    }
  }

  /** Every cell and its worth, by 0x-hex of its id. */
  get worth(): ReadonlyMap<string, bigint> {
    return this.#worth
  }
}
