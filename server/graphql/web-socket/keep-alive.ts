import type { WebSocket } from 'ws'

/** Seconds between two pings of a socket. */
const EVERY = 12

/**
 * Pings every socket every 12 s, and ends one that has not answered when the next ping is due: it is gone, or does not
 * read. One timer for all; each second it is the turn of a part of them.
 */
export class KeepAlive {
  readonly #parts = Array.from({ length: EVERY }, () => new Set<WebSocket>())
  readonly #silent = new WeakSet<WebSocket>()
  readonly #timer: NodeJS.Timeout
  #second = 0
  #added = 0

  constructor() {
    this.#timer = setInterval(() => this.#tick(), 1_000)
    this.#timer.unref()
  }

  /** Watches a socket. Gives what ends that. */
  watch(socket: WebSocket): () => void {
    // The part whose turn is farthest off begins, so that nobody is pinged at once.
    const part = this.#parts[this.#added++ % EVERY]
    part?.add(socket)
    socket.on('pong', this.#onPong(socket))
    return () => part?.delete(socket)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #onPong(socket: WebSocket): () => void {
    return () => this.#silent.delete(socket)
  }

  #tick(): void {
    for (const socket of this.#parts[this.#second++ % EVERY] ?? []) {
      if (this.#silent.has(socket)) socket.terminate()
      else {
        this.#silent.add(socket)
        socket.ping()
      }
    }
  }
}
