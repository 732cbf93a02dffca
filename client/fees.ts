import { type Action, encode, encodeUnsigned, type TransactionFields, toHex } from '../protocol/index.ts'
import { type Endpoint, request } from './http.ts'
import { simulateQuery } from './operations.ts'
import { refusedError } from './submit.ts'

/** What a transaction would cost now. */
export interface FeeEstimate {
  /** In the smallest unit. */
  readonly fee: bigint
  readonly weight: bigint
}

/** What of a transaction decides about its fee. */
export type Estimated = Omit<TransactionFields, 'nonce' | 'maxFee'>

/** Milliseconds that an estimate serves for actions of the same calls and arguments, and how many are kept. */
const FRESH = 10_000
const KEPT = 256

/** Asks what actions cost, and remembers for a while: a wallet pays many times in the same way. */
export class Fees {
  readonly #endpoint: Endpoint
  readonly #known = new Map<string, { readonly estimate: FeeEstimate; readonly until: number }>()

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /**
   * The exact fee at the present price, of a transaction of these actions.
   * @throws ClientError REFUSED if they would be refused now.
   */
  async estimate(fields: Estimated, signal?: AbortSignal): Promise<FeeEstimate> {
    const kind = kindOf(fields.actions)
    const known = this.#known.get(kind)
    if (known !== undefined && known.until > Date.now()) return known.estimate
    const estimate = await this.#ask(fields, signal)
    this.#known.delete(kind)
    this.#known.set(kind, { estimate, until: Date.now() + FRESH })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break
      this.#known.delete(oldest)
    }
    return estimate
  }

  async #ask(fields: Estimated, signal: AbortSignal | undefined): Promise<FeeEstimate> {
    // The longest nonce and limit, so that the estimate holds for any; a far nonce is not used yet.
    const longest = { nonce: Number.MAX_SAFE_INTEGER, maxFee: 1n << 63n }
    const transaction = toHex(encodeUnsigned({ ...fields, ...longest }))
    const { simulate } = await request(this.#endpoint, simulateQuery, { transaction }, signal)
    if (simulate.__typename === 'TransactionRefused') throw refusedError(simulate)
    return { fee: BigInt(simulate.fee), weight: BigInt(simulate.weight) }
  }
}

/** What the price depends on: calls and arguments, not receivers and amounts. */
function kindOf(actions: readonly Action[]): string {
  return actions.map(({ call, args, realm }) => `${realm} ${call} ${toHex(encode(args))}`).join()
}
