import { encodeTransaction, encodeUnsigned, signingBytes } from '../../../protocol/index.ts'
import { sign } from '../../../server/crypto/ed25519.ts'
import type { SubmitOutcome, TransactionStatus } from '../api.ts'
import { faucetId, type Network } from '../genesis.ts'
import type { OperatorKey } from '../keys.ts'
import type { Submissions } from './submissions.ts'

/** The operator's lane for faucet transactions; its others stay free. */
const LANE = 15
const VALID_FOR = 600
// Only the fee itself is charged, and a faucet must go on while the price is high.
const MAX_FEE = 100_000_000n
const INCLUDED: ReadonlySet<TransactionStatus> = new Set(['INCLUDED', 'EXECUTED', 'FAILED'])

export interface FaucetParts {
  readonly network: Network
  readonly operator: OperatorKey
  readonly submissions: Submissions
  readonly rootHeight: () => number
  /** The next nonce of the operator's lane, as committed. */
  readonly nextNonce: (lane: number) => Promise<number>
}

/** Nonces as they are given out, from the next one that the ledger had. */
interface Sequence {
  next: number
}

/** The faucet of a development network: signs the operator's calls to the faucet's cell, one nonce after the other. */
export class Faucet {
  readonly #parts: FaucetParts
  #sequence: Sequence | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: FaucetParts) {
    this.#parts = parts
  }

  /** Pays the faucet's amount to an address; resolves once it has arrived. */
  async pay(address: Uint8Array): Promise<SubmitOutcome> {
    // Nonces are given out one at a time; the waiting for inclusion is not part of the turn.
    const signed = this.#turn.then(() => this.#sign(address))
    this.#turn = signed.catch(() => undefined)
    const { wire, sequence } = await signed
    let isIncluded = false
    try {
      const [outcome] = await this.#parts.submissions.submit([wire], 'EXECUTED')
      if (outcome === undefined) throw new TypeError('one transaction has one outcome')
      isIncluded = outcome.kind === 'accepted' && INCLUDED.has(outcome.status)
      return outcome
    } finally {
      // Its nonce may be missing now (it was lost with a shard that crashed, say), and all after it would wait for ever:
      // the next payment asks the ledger again. Others of the same sequence need not do so once more.
      if (!isIncluded && this.#sequence === sequence) this.#sequence = undefined
    }
  }

  async #sign(address: Uint8Array): Promise<{ readonly wire: Uint8Array; readonly sequence: Sequence }> {
    const { network, operator, rootHeight, nextNonce } = this.#parts
    const sequence = this.#sequence ?? { next: await nextNonce(LANE) }
    this.#sequence = sequence
    const nonce = sequence.next++
    const { publicKey } = operator.key
    const unsigned = encodeUnsigned({
      network: network.id,
      realm: 0,
      sender: publicKey,
      key: publicKey,
      lane: LANE,
      nonce,
      validUntil: rootHeight() + VALID_FOR,
      maxFee: MAX_FEE,
      actions: [{ to: faucetId(publicKey), realm: 0, call: 'faucet.drip', args: { to: address }, value: 0n }],
    })
    return { wire: encodeTransaction(unsigned, sign(signingBytes(unsigned), operator.key)), sequence }
  }
}
