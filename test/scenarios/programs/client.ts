import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SubmitOutcome, TransactionState } from '../../../plugins/execution/api.ts'
import type { TestChain } from '../../../plugins/execution/testing.ts'
import { type Action, decodeTransaction, toHex } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'

/** The most that a transaction may cost: full blocks make the price rise. */
export const MAX_FEE = 1_000_000_000n
const FINAL_WITHIN_MS = 120_000
/** Why a module that changed meanwhile does not let a transaction in. */
const CHANGED = new Set(['UNKNOWN_CALL', 'BAD_ARGUMENTS'])

/** Who signs, and where the account is. */
export interface Signer {
  readonly key: SigningKey
  readonly realm: number
}

/** A transaction that was handed in. */
export interface Handed extends Signer {
  readonly wire: Uint8Array
  readonly id: Uint8Array
  readonly lane: number
  readonly nonce: number
}

/**
 * Hands transactions in and follows them to their end, as a careful client does: what a crash may have lost it hands in
 * again, and where a module changed before a transaction's turn it uses the nonce for something else.
 */
export class Client {
  readonly #net: TestChain
  readonly #nonces = new Map<string, number>()
  #open: Handed[] = []
  /** Ids of all that are in blocks now. */
  readonly included: Uint8Array[] = []
  /** Transactions that modules did not let in any more. */
  evicted = 0

  constructor(net: TestChain) {
    this.#net = net
  }

  sign(signer: Signer, lane: number, actions: readonly Partial<Action>[]): Handed {
    const place = `${signer.realm} ${toHex(signer.key.publicKey)} ${lane}`
    const nonce = this.#nonces.get(place) ?? 0
    this.#nonces.set(place, nonce + 1)
    return this.#handed({ ...signer, lane, nonce }, actions)
  }

  async submit(handed: readonly Handed[], wait: 'NONE' | 'INCLUDED' = 'NONE'): Promise<void> {
    const outcomes = await this.#net.chain.submit(
      handed.map(({ wire }) => wire),
      { wait },
    )
    this.#open.push(...handed)
    const refused = handed.filter((_, i) => isChanged(outcomes[i]))
    if (refused.length > 0) await this.#replace(refused)
  }

  /** Waits until all have ended. */
  async finish(): Promise<void> {
    const deadline = Date.now() + FINAL_WITHIN_MS
    while (this.#open.length > 0) {
      const open = this.#open
      const states = await this.#net.chain.states(open.map(({ id }) => id))
      const at = (is: (state: TransactionState | null) => boolean) => open.filter((_, i) => is(states[i] ?? null))
      const done = at((state) => state?.status === 'EXECUTED' || state?.status === 'FAILED')
      this.included.push(...done.map(({ id }) => id))
      this.#open = at((state) => state === null || state.status === 'PENDING' || state.status === 'INCLUDED')
      await this.#replace(at((state) => state?.status === 'EVICTED'))
      const lost = at((state) => state === null)
      if (lost.length > 0) {
        this.#open = this.#open.filter((one) => !lost.includes(one))
        await this.submit(lost)
      }
      const odd = at((state) => state?.status === 'EXPIRED' || state?.status === 'REPLACED')
      assert.deepEqual(odd, [], 'nothing expires, and nothing is replaced')
      const what = [...new Set(states.map((state) => state?.status ?? 'unknown'))].join(', ')
      assert.ok(Date.now() < deadline, `${open.length} transactions have no end: ${what}`)
      if (this.#open.length > 0) await sleep(5)
    }
  }

  /** Their nonces go to transactions that every module set takes. */
  async #replace(gone: readonly Handed[]): Promise<void> {
    if (gone.length === 0) return
    this.evicted += gone.length
    this.#open = this.#open.filter((one) => !gone.includes(one))
    await this.submit(gone.map((one) => this.#handed(one, [{ to: one.key.publicKey, realm: one.realm }])))
  }

  #handed(place: Signer & { lane: number; nonce: number }, actions: readonly Partial<Action>[]): Handed {
    const { key, realm, lane, nonce } = place
    const wire = this.#net.sign({ key, realm, lane, nonce, actions, maxFee: MAX_FEE })
    return { key, realm, lane, nonce, wire, id: decodeTransaction(wire).id }
  }
}

/** @throws AssertionError for any other refusal */
function isChanged(outcome: SubmitOutcome | undefined): boolean {
  if (outcome?.kind === 'refused' && CHANGED.has(outcome.code)) return true
  assert.equal(
    outcome?.kind,
    'accepted',
    JSON.stringify(outcome, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  )
  return false
}
