import { idKey } from '../query/keys.ts'

/** How often the faucet pays. */
export const FAUCET_LIMITS = {
  /** Payments to one address in a window. */
  perAddress: 10,
  /** Payments in all in a second. */
  perSecond: 50,
  /** Milliseconds. */
  window: 60_000,
} as const

/** Why the faucet does not pay. */
export interface FaucetRefusal {
  readonly code: 'NO_FAUCET' | 'FAUCET_LIMIT'
  readonly message: string
}

/** Paces the faucet, for each address and in all. */
export class FaucetGate {
  readonly #now: () => number
  /** Payments of each address in this window; perSecond bounds how many there can be. */
  #paid = new Map<string, number>()
  #windowEnds = 0
  #second = 0
  #inSecond = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Counts a payment to the address; or says why there is none now. */
  pass(address: Uint8Array): FaucetRefusal | undefined {
    const now = this.#now()
    if (now >= this.#windowEnds) {
      this.#paid = new Map()
      this.#windowEnds = now + FAUCET_LIMITS.window
    }
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    if (this.#inSecond >= FAUCET_LIMITS.perSecond) {
      return { code: 'FAUCET_LIMIT', message: 'The faucet is busy. Try again in a second.' }
    }
    const key = idKey(address)
    const paid = this.#paid.get(key) ?? 0
    if (paid >= FAUCET_LIMITS.perAddress) {
      const seconds = Math.ceil((this.#windowEnds - now) / 1000)
      return {
        code: 'FAUCET_LIMIT',
        message: `The faucet paid this address ${paid} times just now. Try again in ${seconds} seconds.`,
      }
    }
    this.#inSecond++
    this.#paid.set(key, paid + 1)
    return undefined
  }
}
