import { testKey } from '../../../plugins/execution/testing.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import type { Random } from '../random.ts'
import type { Material } from './spoiled.ts'

/** An account that transactions are made for, to be spoiled. */
export interface Sender {
  readonly key: SigningKey
  /** Its transactions that were executed before, at least one. */
  readonly executed: readonly Uint8Array[]
  readonly nextNonce: number
}

const VALID_FOR = 1_000_000

/** Material of these senders by turns. */
export function materials(network: Uint8Array, senders: readonly Sender[]): (random: Random) => Material {
  const stranger = testKey('stranger')
  return (random) => {
    const { key, executed, nextNonce } = random.pick(senders)
    const { publicKey } = key
    const to = random.pick(senders).key.publicKey
    return {
      random,
      key,
      stranger,
      executed,
      valid: () => ({
        network,
        realm: 0,
        sender: publicKey,
        key: publicKey,
        lane: 0,
        nonce: nextNonce,
        validUntil: VALID_FOR,
        maxFee: 100_000n,
        actions: [{ to, realm: 0, call: 'account.credit', args: {}, value: 1n }],
      }),
    }
  }
}
