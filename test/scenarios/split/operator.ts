import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { operatorKey } from '../../../plugins/execution/keys.ts'
import { encodeTransaction, encodeUnsigned, ROOT_REALM, signingBytes, toHex } from '../../../protocol/index.ts'
import { type SigningKey, sign } from '../../../server/crypto/ed25519.ts'
import { AnswerError, ask } from '../node/graphql.ts'
import { PASSING } from '../node/load.ts'

const VALID_FOR = 10_000_000
const RETRY_MS = 50

const SUBMIT = `mutation Split($transaction: Bytes!) {
  submitTransaction(transaction: $transaction, wait: EXECUTED) {
    __typename
    ... on TransactionAccepted { transaction { status error { code message } } }
    ... on TransactionRefused { code message }
  }
}`
const Submitted = z.object({
  submitTransaction: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('TransactionAccepted'), transaction: z.object({ status: z.string() }) }),
    z.object({ __typename: z.literal('TransactionRefused'), code: z.string(), message: z.string() }),
  ]),
})

/** The operator of a node, who splits its shards, and tries again while the node is down. */
export class Operator {
  readonly #network: Uint8Array
  readonly #key: SigningKey
  #nonce = 0

  private constructor(network: Uint8Array, key: SigningKey) {
    this.#network = network
    this.#key = key
  }

  /** @param network id of the node's network, 32 bytes */
  static async of(dataDir: string, network: Uint8Array): Promise<Operator> {
    const { key } = await operatorKey(join(dataDir, 'execution', 'operator.key'))
    return new Operator(network, key)
  }

  /**
   * Signs one split, and submits it until it is executed, whatever happens to the node meanwhile.
   * @param url where the node is, at each attempt
   * @throws if it is refused, or if the signal ends it
   */
  async split(shard: string, url: () => string, signal: AbortSignal): Promise<void> {
    const transaction = toHex(this.#signed(shard))
    while (!(await this.#submit(url(), transaction))) {
      signal.throwIfAborted()
      await sleep(RETRY_MS)
    }
  }

  async #submit(url: string, transaction: string): Promise<boolean> {
    try {
      const { submitTransaction: outcome } = await ask(url, Submitted, SUBMIT, { transaction })
      assert.equal(outcome.__typename, 'TransactionAccepted', JSON.stringify(outcome))
      assert.ok(['PENDING', 'INCLUDED', 'EXECUTED'].includes(outcome.transaction.status), JSON.stringify(outcome))
      return outcome.transaction.status === 'EXECUTED'
    } catch (error) {
      if (error instanceof AnswerError && PASSING.has(error.code)) return false
      throw error
    }
  }

  #signed(shard: string): Uint8Array {
    const unsigned = encodeUnsigned({
      network: this.#network,
      realm: 0,
      sender: this.#key.publicKey,
      key: this.#key.publicKey,
      lane: 0,
      nonce: this.#nonce++,
      validUntil: VALID_FOR,
      maxFee: 10_000n,
      actions: [{ to: this.#key.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard }, value: 0n }],
    })
    return encodeTransaction(unsigned, sign(signingBytes(unsigned), this.#key))
  }
}
