import type { Action } from '../protocol/index.ts'
import { within } from './deadline.ts'
import { delay } from './delay.ts'
import { ClientError, isClientError } from './errors.ts'
import { type Estimated, type Fees, withHeadroom } from './fees.ts'
import type { KeyPair } from './keypair.ts'
import { Lane } from './lane.ts'
import type { NetworkView } from './network-view.ts'
import type { Accepted } from './submit.ts'
import { signTransaction, type TransactionInput } from './transaction.ts'
import type { TransactionInfo } from './transaction-info.ts'
import { hasReached, type WaitOptions } from './wait-for.ts'

type Until = 'NONE' | 'INCLUDED' | 'EXECUTED'

/** How far a send got: what its errors tell. */
interface Progress {
  id: string | undefined
  /** The node had the transaction. */
  taken: boolean
}

/** How to send. */
export interface SendOptions {
  /** What to wait for: NONE, INCLUDED or EXECUTED (if absent). */
  readonly until?: Until
  /** 0 to 255; that of the client if absent. Parallel programs of one account take a lane each. */
  readonly lane?: number
  /**
   * The most it may cost beyond its values; `headroom` times the present fee if absent, and then more when the node
   * refuses that as FEE_TOO_LOW. Only the fee itself is charged.
   */
  readonly maxFee?: bigint
  /** 1 to 1,000,000; that of the client if absent. */
  readonly headroom?: number
  readonly signal?: AbortSignal
  /** Milliseconds in all; 120,000 if absent. */
  readonly timeout?: number
}

/** What the sender asks of the client. */
export interface SenderParts {
  readonly keys: KeyPair
  /** 32 bytes. */
  readonly account: Uint8Array
  /** Where a send is not told another. */
  readonly lane: number
  /** Where a send is not told another. */
  readonly headroom: number
  readonly realm: number
  readonly network: NetworkView
  readonly fees: Fees
  nextNonce(lane: number): Promise<number>
  submit(wire: Uint8Array, wait: Until, signal?: AbortSignal): Promise<Accepted>
  waitFor(id: string, options: WaitOptions): Promise<TransactionInfo>
  read(id: string, signal?: AbortSignal): Promise<TransactionInfo | undefined>
}

/** How many nonces are tried when somebody else uses the same lane. */
const NONCE_ATTEMPTS = 8
/** How often a transaction that the node lost before it was included is submitted again. */
const RESUBMISSIONS = 5
/** How often a fee is asked for when the price rises faster than one can sign. */
const QUOTES = 6
/** How often one is submitted that is too far ahead of those before it. */
const RETRIES_AHEAD = 40
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
  send(actions: readonly Action[], options: SendOptions): Promise<TransactionInfo> {
    const progress: Progress = { id: undefined, taken: false }
    return within(options.timeout ?? 120_000, options.signal, (signal) =>
      this.#send(actions, options, signal, progress),
    ).catch((error: unknown) => {
      throw naming(error, progress.id)
    })
  }

  async #send(actions: readonly Action[], options: SendOptions, signal: AbortSignal, progress: Progress) {
    const { keys, account, realm, network } = this.#parts
    const number = options.lane ?? this.#parts.lane
    const lane = this.#lane(number)
    const { network: id, validUntil } = await network.signing()
    const fields = { network: id, realm, sender: account, key: keys.publicKey, lane: number, validUntil, actions }
    const until = options.until ?? 'EXECUTED'
    let maxFee = await this.#maxFee(fields, options, signal)
    for (let attempt = 1; ; attempt++) {
      const nonce = await lane.take(signal)
      try {
        for (let quoted = 1; ; quoted++) {
          try {
            const info = await this.#see({ ...fields, nonce, maxFee }, until, signal, progress)
            lane.done()
            return info
          } catch (error) {
            if (!isRefused(error, 'FEE_TOO_LOW') || options.maxFee !== undefined || quoted === QUOTES) throw error
            // Under the same nonce: whichever of the two arrives, only one can ever be included.
            maxFee = await this.#maxFee(fields, options, signal, true)
          }
        }
      } catch (error) {
        const use = useOf(error, progress.taken)
        if (use === 'used') lane.done()
        else if (use === 'unused') lane.giveBack(nonce)
        else await lane.passOver()
        if (!isRefused(error, 'NONCE_USED') || attempt === NONCE_ATTEMPTS) throw error
      }
    }
  }

  async #maxFee(fields: Estimated, options: SendOptions, signal: AbortSignal, afresh = false): Promise<bigint> {
    if (options.maxFee !== undefined) return options.maxFee
    const { fee } = await this.#parts.fees.estimate(fields, signal, afresh)
    return withHeadroom(fee, options.headroom ?? this.#parts.headroom)
  }

  /** Signs, submits and waits; submits again what the node lost. */
  async #see(input: TransactionInput, until: Until, signal: AbortSignal, progress: Progress): Promise<TransactionInfo> {
    const { waitFor, read } = this.#parts
    progress.taken = false
    const { id, wire } = signTransaction(input, this.#parts.keys)
    progress.id = id
    for (let again = 0; ; again++) {
      try {
        const { status } = await this.#submit(wire, until, signal)
        progress.taken = true
        if (until === 'NONE') return unseen(id, status)
        if (!hasReached(id, status, until)) return await waitFor(id, { until, signal })
        return (await read(id, signal)) ?? unseen(id, status)
      } catch (error) {
        if (again === RESUBMISSIONS || !isLost(error)) throw error
        await delay(PAUSE, signal)
      }
    }
  }

  /** Submits; what is too far ahead of those before it is submitted again a little later. */
  async #submit(wire: Uint8Array, until: Until, signal: AbortSignal): Promise<Accepted> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#parts.submit(wire, until, signal)
      } catch (error) {
        if (!isRefused(error, 'NONCE_TOO_FAR') || tried === RETRIES_AHEAD) throw error
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

/** What became of the nonce of a transaction that failed. */
function useOf(error: unknown, taken: boolean): 'used' | 'unused' | 'by another' {
  if (isRefused(error, 'NONCE_USED')) return 'by another'
  if (isClientError(error, 'NOT_INCLUDED')) return error.reason === 'REPLACED' ? 'by another' : 'unused'
  // What was not taken may still arrive. Whatever gets its nonce next is refused or takes its place: never both.
  return taken ? 'used' : 'unused'
}

function isRefused(error: unknown, reason: string): boolean {
  return isClientError(error, 'REFUSED') && error.reason === reason
}

/** True for a transaction that the node had and no longer has, or has pushed out: the same bytes may go in again. */
function isLost(error: unknown): boolean {
  return (
    isClientError(error, 'TRANSACTION_UNKNOWN') || (isClientError(error, 'NOT_INCLUDED') && error.reason === 'EVICTED')
  )
}

function naming(error: unknown, transaction: string | undefined): unknown {
  if (!(error instanceof ClientError) || error.transaction !== undefined) return error
  return new ClientError(error.code, error.message, { reason: error.reason, transaction, cause: error })
}

function unseen(id: string, status: TransactionInfo['status']): TransactionInfo {
  return { id, status, error: undefined, fee: undefined, shard: undefined, height: undefined }
}
