import type { RootDelivery } from './inbox.ts'

/** Root blocks with messages that may wait for a shard that cannot commit. */
const MAX_WAITING = 100_000

/** Root blocks that a shard was given and has not consumed, in order. */
export class RootQueue {
  #waiting: RootDelivery[] = []
  #height = 0
  #hasMessages = false

  /** Height of the last root block that was given. */
  get height(): number {
    return this.#height
  }

  /** True if one of them brings messages; the others can wait for a block that has something else to do. */
  get hasMessages(): boolean {
    return this.#hasMessages
  }

  /** The shard has consumed everything up to this height. */
  startAfter(height: number): void {
    this.#height = height
  }

  /** False if it was given before. @throws RangeError if too many wait. */
  add(delivery: RootDelivery): boolean {
    if (delivery.height <= this.#height) return false
    if (this.#waiting.length >= MAX_WAITING) {
      throw new RangeError(`${MAX_WAITING} root blocks wait for this shard, and it takes no more`)
    }
    // One that brings nothing needs no memory of its own: the next stands for it.
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.sources.length === 0 && last.exports.length === 0) this.#waiting.pop()
    this.#waiting.push(delivery)
    this.#height = delivery.height
    if (delivery.sources.length > 0) this.#hasMessages = true
    return true
  }

  /** All of them, for a block. */
  take(): readonly RootDelivery[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#hasMessages = false
    return taken
  }

  /** Back to the front: no block has consumed them. */
  putBack(deliveries: readonly RootDelivery[]): void {
    this.#waiting = [...deliveries, ...this.#waiting]
    this.#hasMessages = this.#waiting.some((delivery) => delivery.sources.length > 0)
  }
}
