import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Greeting } from './greeting.ts'

/**
 * What postgres.js sees of a connection: its data, and nothing of its end. When it hears of an end it connects again by
 * itself, and mixes up what belongs to the old connection and what to the new: statements stay without an answer, get
 * that of another, or write to a socket that is gone, which ends the process (seen in 3.4.9). So the end is dealt with by
 * `Lane`, and what postgres.js writes after it goes nowhere.
 */
export class QuietSocket extends EventEmitter {
  readonly #socket: Socket
  readonly #onDestroyed: () => void
  #isOver = false

  /** @param onDestroyed called when postgres.js gives the connection up */
  constructor(socket: Socket, onDestroyed: () => void) {
    super()
    this.#socket = socket
    this.#onDestroyed = onDestroyed
    const greeting = new Greeting()
    socket.on('data', (bytes: Uint8Array) => {
      if (this.#isOver) return
      if (greeting.take(bytes)) this.emit('data', bytes)
      else onDestroyed()
    })
    socket.on('drain', () => this.#isOver || this.emit('drain'))
  }

  get readyState(): string {
    return this.#isOver ? 'closed' : this.#socket.readyState
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    return this.#isOver || this.#socket.write(bytes, written)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** From now on nothing comes, and nothing is sent. */
  silence(): void {
    this.#isOver = true
    this.removeAllListeners()
  }

  /** postgres.js says goodbye by this; what it has no answer to is not over. */
  end(): void {
    this.#onDestroyed()
  }

  destroy(): void {
    this.#onDestroyed()
  }
}
