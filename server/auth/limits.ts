import { isIPv6 } from 'node:net'
import type { Clock } from '../plugin/host.ts'
import { rateLimited } from './errors.ts'
import { type Rate, TokenBuckets } from './token-buckets.ts'

const MAX_ADDRESSES = 100_000
/** Credentials that are not remembered, from one address: enough for a restart of many programs, too few to guess. */
const LOOK_UPS: Rate = { perSecond: 10, burst: 200 }

/** Paces those who have shown nothing, by the address that they come from. */
export class AddressLimits {
  readonly #requests: TokenBuckets
  readonly #lookUps: TokenBuckets
  readonly #rate: Rate

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#requests = new TokenBuckets(MAX_ADDRESSES, () => clock.now())
    this.#lookUps = new TokenBuckets(MAX_ADDRESSES, () => clock.now())
  }

  /** Counts a request of somebody anonymous. @throws GraphQLError RATE_LIMITED */
  request(address: string): void {
    this.#take(this.#requests, address, this.#rate)
  }

  /** Counts a request of somebody who has signed in with a wallet. @throws GraphQLError RATE_LIMITED */
  walletRequest(wallet: string, address: string): void {
    this.request(address)
    if (!isLoopback(address)) this.#take(this.#requests, `wallet ${wallet}`, this.#rate)
  }

  /** Counts credentials that have to be looked up. @throws GraphQLError RATE_LIMITED */
  lookUp(address: string): void {
    this.#take(this.#lookUps, address, LOOK_UPS)
  }

  #take(buckets: TokenBuckets, address: string, rate: Rate): void {
    const name = clientName(address)
    if (name === undefined) return
    const wait = buckets.take(name, rate)
    if (wait > 0) throw rateLimited(wait)
  }
}

/** Whom what comes from an address is counted for; nobody for this machine's own programs, which are its owner's. */
export const clientName = (address: string): string | undefined =>
  isLoopback(address) ? undefined : networkOf(address)

/** Whether an address, or the name that a server listens at, is this machine's own. */
export const isLoopback = (address: string): boolean =>
  address === '127.0.0.1' || address === '::1' || address === 'localhost' || /^(::ffff:)?127\./.test(address)

/** What one subscriber has: an IPv4 address, or the first half of an IPv6 one. */
function networkOf(address: string): string {
  if (address.startsWith('::ffff:') || !isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const start = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - start.length - rest.length) }, () => '0')
  return [...start, ...zeros, ...rest]
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')
}

/**
 * The address that a request comes from, where so many proxies of the operator's own stand before the node: each adds
 * whom it heard from at the right of X-Forwarded-For, and what stands further left is what a client claims.
 */
export function clientAddress(connection: string, forwarded: string | undefined, trustedProxies: number): string {
  if (trustedProxies === 0 || forwarded === undefined) return connection
  // Read from the right: a client can write as much as it likes to the left of what the proxies add.
  const hops = forwarded.split(',').slice(-trustedProxies)
  const claimed = hops[0]?.trim()
  // A header never makes anybody this machine's own.
  return claimed === undefined || claimed === '' || isLoopback(claimed) ? `forwarded ${connection}` : claimed
}
