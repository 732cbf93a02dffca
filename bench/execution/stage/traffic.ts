import type { TransactionBatch } from '../../../plugins/execution/shard/batch.ts'
import {
  cellPath,
  encodeOutItem,
  encodeTransaction,
  encodeUnsigned,
  type Message,
  transactionId,
} from '../../../protocol/index.ts'
import { stageId } from './cells.ts'

/** Transactions in one message to a shard; a verifier's 128 split among two shards. */
export const STAGE_BATCH = 64

/** Whom the transfers of a stage go between. */
export interface StageAccounts {
  /** Ids of the shard's own accounts. */
  readonly own: (index: number) => Uint8Array
  readonly ownCount: number
  /** Ids of accounts in the other shard; half of the transfers go there, none if there are no such accounts. */
  readonly foreign: (index: number) => Uint8Array
  readonly foreignCount: number
}

const network = new Uint8Array(32)
/** Verified before it comes to a shard, which does not look at it again. */
const signature = new Uint8Array(64)
/** Primes: whatever the number of accounts, all have their turn, in an order that looks random. */
const SENDER_STEP = 7_368_787
const RECEIVER_STEP = 1_299_709
/** Beyond all accounts. */
const FIRST_ORIGIN = 2 ** 31

/** Endless transfers for one shard: each sender's nonces in order, senders all in turn. */
export class StageTraffic {
  readonly #accounts: StageAccounts
  #next = 0
  #batch = 0

  constructor(accounts: StageAccounts) {
    this.#accounts = accounts
  }

  /** The next transfers, as a router hands them over. */
  batch(): TransactionBatch {
    const wires: Uint8Array[] = []
    const ids = new Uint8Array(32 * STAGE_BATCH)
    for (let i = 0; i < STAGE_BATCH; i++) {
      const unsigned = this.#transfer(this.#next++)
      ids.set(transactionId(unsigned), 32 * i)
      wires.push(encodeTransaction(unsigned, signature))
    }
    this.#batch++
    const lengths = Uint32Array.from(wires, (wire) => wire.length)
    const data = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
    let at = 0
    for (const wire of wires) {
      data.set(wire, at)
      at += wire.length
    }
    return { batch: this.#batch, ids, lengths, data, wait: true }
  }

  #transfer(number: number): Uint8Array {
    const { own, ownCount, foreign, foreignCount } = this.#accounts
    const sender = own((number * SENDER_STEP) % ownCount)
    const isForeign = foreignCount > 0 && number % 2 === 1
    const receiver = (number * RECEIVER_STEP + 1) % (isForeign ? foreignCount : ownCount)
    return encodeUnsigned({
      network,
      realm: 0,
      sender,
      key: sender,
      lane: 0,
      nonce: Math.floor(number / ownCount),
      validUntil: 2 ** 40,
      // Full blocks make the price rise, to a million times the usual one at most.
      maxFee: 1_000_000_000n,
      actions: [
        { to: isForeign ? foreign(receiver) : own(receiver), realm: 0, call: 'account.credit', args: {}, value: 1n },
      ],
    })
  }
}

/** Transfers that arrive from the other shard: encoded out items, as a root block delivers them. */
export function arrivals(accounts: StageAccounts, from: number, count: number): Uint8Array {
  const items: Uint8Array[] = []
  for (let number = from; number < from + count; number++) {
    const sender = accounts.foreign((number * SENDER_STEP) % accounts.foreignCount)
    const to = accounts.own((number * RECEIVER_STEP) % accounts.ownCount)
    const message: Message = {
      kind: 'call',
      // Each comes from a transaction of its own.
      origin: stageId(FIRST_ORIGIN + number),
      action: 0,
      from: sender,
      fromRealm: 0,
      module: 'account',
      to,
      realm: 0,
      call: 'account.credit',
      args: {},
      value: 1n,
      payer: sender,
      payerRealm: 0,
      code: '',
    }
    items.push(encodeOutItem({ realm: 0, destPath: cellPath(to), index: number - from, message }))
  }
  return Buffer.concat(items)
}
