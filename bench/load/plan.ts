import { type Action, cellPath, sha256, type TransactionFields } from '../../protocol/index.ts'
import { keyFromSeed, type SigningKey } from '../../server/crypto/ed25519.ts'

/** What every account of a measured network holds at first, in units. */
export const BENCH_BALANCE = 10 ** 12
/** Primes: whatever the number of accounts, all have their turn, in an order that looks random. */
const SENDER_STEP = 7_368_787
const RECEIVER_STEP = 1_299_709
const VALUE = 1000n
// At whatever price: a full load makes it rise, to a million times the usual one at most.
const MAX_FEE = 1_000_000_000n

/** Which transactions a load consists of. Plain data, the same for all threads that sign it. */
export interface LoadPlan {
  /** Id of the network, 32 bytes. */
  readonly network: Uint8Array
  /** Genesis accounts that pay each other. */
  readonly accounts: number
  /** Transfers under one signature. */
  readonly actions: number
  /** Which transfers go to the other of two shards: every second one, or all. */
  readonly crossing: 'half' | 'all'
  /** Root height. */
  readonly validUntil: number
}

/** The key of account `index`. */
export const benchKey = (index: number): SigningKey => keyFromSeed(sha256(Buffer.from(`deaios bench account ${index}`)))

/** The transactions of a load, by their number: each account's nonces in order, all accounts in turn. */
export class Transfers {
  readonly #plan: LoadPlan
  readonly #keys: readonly SigningKey[]
  readonly #sides: readonly [Uint8Array[], Uint8Array[]] = [[], []]
  readonly #side: readonly (0 | 1)[]

  constructor(plan: LoadPlan) {
    this.#plan = plan
    this.#keys = Array.from({ length: plan.accounts }, (_, index) => benchKey(index))
    this.#side = this.#keys.map(({ publicKey }) => (cellPath(publicKey)[0]! < 0x80 ? 0 : 1))
    for (const [index, { publicKey }] of this.#keys.entries()) this.#sides[this.#side[index]!].push(publicKey)
  }

  /** Transaction `number`, and the key that signs it. */
  at(number: number): { readonly fields: TransactionFields; readonly key: SigningKey } {
    const { network, accounts, validUntil } = this.#plan
    const index = (number * SENDER_STEP) % accounts
    const round = Math.floor(number / accounts)
    const key = this.#keys[index]!
    const fields = {
      network,
      realm: 0,
      sender: key.publicKey,
      key: key.publicKey,
      lane: 0,
      nonce: round,
      validUntil,
      maxFee: MAX_FEE,
      actions: Array.from({ length: this.#plan.actions }, (_, action) => this.#transfer(number, round, index, action)),
    }
    return { fields, key }
  }

  #transfer(number: number, round: number, sender: number, action: number): Action {
    const { actions, crossing } = this.#plan
    const transfer = number * actions + action
    // The round: else the same senders would cross each time.
    const crosses = crossing === 'all' || (transfer + round) % 2 === 1
    const side = this.#sides[crosses ? 1 - this.#side[sender]! : this.#side[sender]!]!
    const to = side[(transfer * RECEIVER_STEP + 1) % side.length]!
    return { to, realm: 0, call: 'account.credit', args: {}, value: VALUE }
  }
}
