import { WebSocket } from 'ws'
import { PeerError } from '../plugin/peers.ts'
import { GoneError } from './answers.ts'
import { dial } from './dial.ts'
import { MAX_BUFFERED, MAX_OPEN, type Reply, type Request, remoteError, WINDOW } from './messages.ts'
import { Wire } from './wire.ts'

/** The leader was not reached, or went: `done` tells whether it may have begun what it was asked. */
export class LeaderGoneError extends GoneError {
  readonly done: boolean

  constructor(done: boolean) {
    super('the leader went')
    this.done = done
  }
}

interface Waiting {
  /** The lease under which the leader was asked, and its fence. */
  readonly lease: string
  readonly fence: bigint
  take(reply: Reply): void
  fail(error: Error): void
}

/** Asks one other node, over one connection for everything. */
export class PeerConnection {
  readonly #socket: WebSocket
  readonly #wire: Wire<Reply, Request>
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened: Promise<void>
  #next = 0
  #isClosed = false

  constructor(url: string, secret: string, onClose: () => void) {
    this.#socket = dial(url, secret)
    this.#opened = new Promise((resolve) => {
      this.#socket.once('open', () => resolve())
      this.#socket.once('close', () => resolve())
    })
    this.#wire = new Wire<Reply, Request>(
      this.#socket,
      (reply) => this.#waiting.get(reply.id)?.take(reply),
      () => {
        this.#isClosed = true
        for (const waiting of [...this.#waiting.values()]) waiting.fail(new LeaderGoneError(true))
        onClose()
      },
    )
  }

  async call(lease: string, fence: bigint, method: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
    const id = await this.#admit()
    const answered = Promise.withResolvers<unknown>()
    const cancel = (): void => {
      this.#wire.send({ type: 'cancel', id })
      answered.reject(signal?.reason)
    }
    this.#waiting.set(id, {
      lease,
      fence,
      fail: answered.reject,
      take: (reply) => {
        if (reply.type === 'answer') answered.resolve(reply.output)
        else answered.reject(errorOf(reply))
      },
    })
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      signal?.throwIfAborted()
      this.#wire.send({ type: 'call', id, method, input })
      return await answered.promise
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#waiting.delete(id)
    }
  }

  async *stream(
    lease: string,
    fence: bigint,
    method: string,
    input: unknown,
    signal?: AbortSignal,
  ): AsyncGenerator<unknown, void> {
    const id = await this.#admit()
    // Bounded by the credit that the reader has given.
    const items: unknown[] = []
    let end: { readonly error: Error | undefined } | undefined
    let wake: (() => void) | undefined
    let taken = 0
    const finish = (error: Error | undefined): void => {
      end ??= { error }
      wake?.()
    }
    const abort = (): void => finish(undefined)
    this.#waiting.set(id, {
      lease,
      fence,
      fail: finish,
      take: (reply) => {
        if (reply.type === 'end') return finish(undefined)
        if (reply.type !== 'item') return finish(errorOf(reply))
        items.push(reply.item)
        wake?.()
      },
    })
    signal?.addEventListener('abort', abort, { once: true })
    try {
      if (signal?.aborted === true) return
      this.#wire.send({ type: 'stream', id, method, input })
      for (;;) {
        while (items.length > 0) {
          yield items.shift()
          taken++
          if (taken < WINDOW / 2) continue
          this.#wire.send({ type: 'more', id, items: taken })
          taken = 0
        }
        if (end?.error !== undefined) throw end.error
        if (end !== undefined) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#waiting.delete(id)
      if (end === undefined || signal?.aborted === true) this.#wire.send({ type: 'cancel', id })
    }
  }

  /** Who asked under this lease another fence than `fence` waits in vain: there is another leader, or none. */
  abandon(lease: string, fence: bigint | undefined): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.lease === lease && waiting.fence !== fence) waiting.fail(new LeaderGoneError(true))
    }
  }

  close(): void {
    this.#wire.close()
    this.#socket.terminate()
  }

  /** A number for a call. @throws LeaderGoneError, PeerError PEER_BUSY */
  async #admit(): Promise<number> {
    if (this.#socket.readyState === WebSocket.CONNECTING) await this.#opened
    if (this.#isClosed || this.#socket.readyState !== WebSocket.OPEN) throw new LeaderGoneError(false)
    if (this.#waiting.size >= MAX_OPEN || this.#wire.buffered > MAX_BUFFERED) throw busy()
    this.#next = (this.#next + 1) % Number.MAX_SAFE_INTEGER
    return this.#next
  }
}

const busy = (): PeerError => new PeerError('PEER_BUSY', 'too much is on its way to the leader; try again in a moment')

function errorOf(reply: Reply): Error {
  if (reply.type === 'failed') return remoteError(reply)
  if (reply.type === 'busy') return busy()
  return new LeaderGoneError(reply.type === 'gone' ? reply.done : true)
}
