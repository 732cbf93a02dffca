import { encode, encodeUnsigned, type TransactionFields, toHex } from '../protocol/index.ts'
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

/** What the fee may rise to before a transaction is included, unless something else is said: so many times the present one. */
export const HEADROOM = 2
const MAX_HEADROOM = 1_000_000

/** Asks what actions cost, and remembers for a while: a wallet pays many times in the same way. */
export class Fees {
  readonly #endpoint: Endpoint
  readonly #known = new Map<string, { readonly estimate: FeeEstimate; readonly until: number }>()

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /**
   * The exact fee at the present price, of a transaction of these actions.
   * @param afresh ask, whatever is remembered: the price has changed
   * @throws ClientError REFUSED if they would be refused now.
   */
  async estimate(fields: Estimated, signal?: AbortSignal, afresh = false): Promise<FeeEstimate> {
    const kind = kindOf(fields)
    const known = this.#known.get(kind)
    if (!afresh && known !== undefined && known.until > Date.now()) return known.estimate
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

/** What a sender allows, given the present fee: it may rise until the transaction is included. */
export function withHeadroom(fee: bigint, headroom: number): bigint {
  if (!(headroom >= 1 && headroom <= MAX_HEADROOM))
    throw new RangeError(`headroom is how many times the present fee may be charged, 1 to ${MAX_HEADROOM}: ${headroom}`)
  return (fee * BigInt(Math.round(headroom * 1000)) + 999n) / 1000n
}

/** What the price depends on: calls and arguments, not receivers and amounts. */
function kindOf({ realm, actions }: Estimated): string {
  return [realm, ...actions.map(({ call, args, realm: to }) => `${to} ${call} ${toHex(encode(args))}`)].join()
}
