import { LRUCache } from 'lru-cache'

/** How many requests may come: on average, and at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

interface Bucket {
  tokens: number
  /** Milliseconds. */
  at: number
}

/**
 * Token buckets, by name. A bucket begins full, and whoever was not seen for longest is forgotten first: that gives a
 * full bucket back, so there must be room for more names than one attacker has.
 */
export class TokenBuckets {
  readonly #buckets: LRUCache<string, Bucket>
  readonly #now: () => number

  /** @param max how many names are remembered */
  constructor(max: number, now: () => number) {
    this.#buckets = new LRUCache({ max })
    this.#now = now
  }

  /** Takes one token. @returns 0, or the seconds until there is one again (nothing is taken then) */
  take(name: string, { perSecond, burst }: Rate): number {
    const now = this.#now()
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now }
      this.#buckets.set(name, bucket)
    } else {
      // A clock that was set back fills nothing.
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1000)
      bucket.at = now
    }
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perSecond
    bucket.tokens--
    return 0
  }
}
