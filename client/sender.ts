import type { Action } from '../protocol/index.ts'
import { delay } from './delay.ts'
import { ClientError, isClientError } from './errors.ts'
import type { Fees } from './fees.ts'
import type { KeyPair } from './keypair.ts'
import { Lane } from './lane.ts'
import type { NetworkView } from './network-view.ts'
import type { Accepted } from './submit.ts'
import { type SignedTransaction, signTransaction } from './transaction.ts'
import type { TransactionInfo } from './transaction-info.ts'
import { hasReached, type WaitOptions } from './wait-for.ts'

/** How to send. */
export interface SendOptions {
  /** What to wait for: NONE, INCLUDED or EXECUTED (if absent). */
  readonly until?: 'NONE' | 'INCLUDED' | 'EXECUTED'
  /** 0 to 255; 0 if absent. Parallel programs of one account take a lane each. */
  readonly lane?: number
  /** The most it may cost beyond its values; twice the present fee if absent. Only the fee itself is charged. */
  readonly maxFee?: bigint
  readonly signal?: AbortSignal
  /** Milliseconds in all; 120,000 if absent. */
  readonly timeout?: number
}

/** What the sender asks of the client. */
export interface SenderParts {
  readonly keys: KeyPair
  readonly realm: number
  readonly network: NetworkView
  readonly fees: Fees
  nextNonce(lane: number): Promise<number>
  submit(wire: Uint8Array, wait: 'NONE' | 'INCLUDED' | 'EXECUTED', signal?: AbortSignal): Promise<Accepted>
  waitFor(id: string, options: WaitOptions): Promise<TransactionInfo>
  read(id: string, signal?: AbortSignal): Promise<TransactionInfo | undefined>
}

/** How many nonces are tried when somebody else uses the same lane. */
const NONCE_ATTEMPTS = 8
/** How often a transaction that the node lost before it was included is submitted again. */
const RESUBMISSIONS = 5
const PAUSE = 250

/** Signs and sends for one account, any number at a time. */
export class Sender {
  readonly #parts: SenderParts
  readonly #lanes = new Map<number, Lane>()

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /**
   * Signs actions as one transaction and sees it through.
   * @throws ClientError as `Client.send` says
   */
  async send(actions: readonly Action[], options: SendOptions): Promise<TransactionInfo> {
    const { keys, realm, network, fees } = this.#parts
    const number = options.lane ?? 0
    const lane = this.#lane(number)
    const { network: id, validUntil } = await network.signing()
    const fields = { network: id, realm, sender: keys.publicKey, lane: number, validUntil, actions }
    const maxFee = options.maxFee ?? 2n * (await fees.estimate(fields, options.signal)).fee
    for (let attempt = 1; ; attempt++) {
      const nonce = await lane.take()
      let signed: SignedTransaction | undefined
      try {
        options.signal?.throwIfAborted()
        signed = signTransaction({ ...fields, nonce, maxFee }, keys)
        const info = await this.#see(signed, options)
        lane.done()
        return info
      } catch (error) {
        if (isClientError(error, 'REFUSED') && error.reason === 'NONCE_USED' && attempt < NONCE_ATTEMPTS) {
          await lane.passOver()
          continue
        }
        // If it did arrive after all, whatever takes its nonce next is refused or takes its place: never both.
        lane.giveBack(nonce)
        throw signed === undefined ? error : naming(error, signed.id)
      }
    }
  }

  /** Submits and waits; submits again what the node lost. */
  async #see(signed: SignedTransaction, options: SendOptions): Promise<TransactionInfo> {
    const { until = 'EXECUTED', signal } = options
    const { submit, waitFor, read } = this.#parts
    for (let again = 0; ; again++) {
      try {
        const { status } = await this.#submit(submit, signed, until, signal)
        if (until === 'NONE') return unseen(signed.id, status)
        if (!hasReached(signed.id, status, until)) return await waitFor(signed.id, { ...options, until })
        return (await read(signed.id, signal)) ?? unseen(signed.id, status)
      } catch (error) {
        if (again === RESUBMISSIONS || !isLost(error)) throw error
        await delay(PAUSE, signal)
      }
    }
  }

  /** Submits; what is too far ahead of those before it is submitted again a little later. */
  async #submit(
    submit: SenderParts['submit'],
    { wire }: SignedTransaction,
    until: 'NONE' | 'INCLUDED' | 'EXECUTED',
    signal: AbortSignal | undefined,
  ): Promise<Accepted> {
    for (let tried = 1; ; tried++) {
      try {
        return await submit(wire, until, signal)
      } catch (error) {
        const early = isClientError(error, 'REFUSED') && error.reason === 'NONCE_TOO_FAR'
        if (!early || tried === 4 * NONCE_ATTEMPTS) throw error
        await delay(PAUSE, signal)
      }
    }
  }

  #lane(number: number): Lane {
    const known = this.#lanes.get(number)
    if (known !== undefined) return known
    const lane = new Lane(() => this.#parts.nextNonce(number))
    this.#lanes.set(number, lane)
    return lane
  }
}

/** True for a transaction that the node had and no longer has, or has pushed out: the same bytes may go in again. */
function isLost(error: unknown): boolean {
  return (
    isClientError(error, 'TRANSACTION_UNKNOWN') || (isClientError(error, 'NOT_INCLUDED') && error.reason === 'EVICTED')
  )
}

function naming(error: unknown, transaction: string): unknown {
  if (!(error instanceof ClientError) || error.transaction !== undefined) return error
  return new ClientError(error.code, error.message, { reason: error.reason, transaction, cause: error })
}

function unseen(id: string, status: TransactionInfo['status']): TransactionInfo {
  return { id, status, error: undefined, fee: undefined, shard: undefined, height: undefined }
}
