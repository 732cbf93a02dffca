import type { Duplex } from 'node:stream'
import type { Message, Reader } from '../live/index.ts'
import { frameOf, openFrame, type Scratch } from './scratch.ts'
import { type Turns, WRITE_BYTES, type Writer } from './turns.ts'

/** Results larger than this are written from where they are, without a copy for each client. */
const COPY_BYTES = 16 << 10

/** A subscription of one socket. */
export class Outgoing {
  readonly reader: Reader
  /** `{"id":"..."`: what its messages begin with. */
  readonly head: Buffer
  readonly onDone: () => void
  isQueued = false

  constructor(id: string, reader: Reader, onDone: () => void) {
    this.reader = reader
    this.head = Buffer.from(`{"id":${JSON.stringify(id)}`)
    this.onDone = onDone
  }

  get completion(): Buffer {
    return frameOf(this.head, COMPLETE)
  }
}

const COMPLETE = Buffer.from(',"type":"complete"}')

/**
 * What the subscriptions of one socket have to say. Results wait where they are shared until the socket can take them:
 * a client that does not read holds nothing up but its own subscriptions, and no more than one write waits for it.
 */
export class Outbox implements Writer {
  readonly #stream: Duplex
  readonly #turns: Turns
  #queue: Outgoing[] = []
  #isDue = false
  #isBlocked = false
  #isClosed = false

  /** @param stream the socket below the WebSocket; whole frames are written to it, so those of others may come between */
  constructor(stream: Duplex, turns: Turns) {
    this.#stream = stream
    this.#turns = turns
  }

  /** A subscription may have something to say, or may be done. */
  add(outgoing: Outgoing): void {
    if (outgoing.isQueued || this.#isClosed) return
    outgoing.isQueued = true
    this.#queue.push(outgoing)
    this.#ask()
  }

  /** Nothing more is written. */
  close(): void {
    this.#isClosed = true
    this.#queue = []
  }

  /** Writes what there is, without waiting for the end of the turn. */
  flush(): void {
    this.#turns.writeNow(this)
  }

  write(scratch: Scratch): void {
    this.#isDue = false
    if (this.#isClosed || this.#stream.destroyed) return
    if (this.#stream.writableNeedDrain) return this.#block()
    const queue = this.#queue
    this.#queue = []
    let left = WRITE_BYTES
    for (let index = 0; index < queue.length && left > 0; index++) {
      const outgoing = queue[index]
      if (outgoing === undefined) break
      left = this.#writeFrom(outgoing, scratch, left)
      // The others come first next time.
      if (left === 0) this.#queue.unshift(...queue.slice(index + 1), outgoing)
    }
    const isFull = !this.#release(scratch)
    if (isFull && this.#stream.writableNeedDrain) this.#block()
    else if (this.#queue.length > 0) this.#ask()
  }

  /** Takes what a subscription has; gives how many bytes are left for others, 0 if it may have more. */
  #writeFrom(outgoing: Outgoing, scratch: Scratch, bytes: number): number {
    const { reader, head } = outgoing
    let left = bytes
    while (left > 0) {
      const message = reader.take()
      if (message === undefined) {
        outgoing.isQueued = false
        if (reader.isDone) this.#complete(outgoing, scratch)
        return left
      }
      this.#put(head, message, scratch)
      left = Math.max(0, left - head.length - message.tail.length)
    }
    return 0
  }

  #put(head: Buffer, { tail }: Message, scratch: Scratch): void {
    if (tail.length <= COPY_BYTES) {
      if (scratch.add(head, tail)) return
      this.#release(scratch)
      if (scratch.add(head, tail)) return
    }
    this.#release(scratch)
    this.#stream.cork()
    this.#stream.write(openFrame(head, tail.length))
    this.#stream.write(tail)
    this.#stream.uncork()
  }

  #complete(outgoing: Outgoing, scratch: Scratch): void {
    this.#release(scratch)
    this.#stream.write(outgoing.completion)
    outgoing.onDone()
  }

  /** Writes what was put together. False if the socket may be full. */
  #release(scratch: Scratch): boolean {
    return !scratch.isEmpty && this.#stream.write(scratch.take())
  }

  #ask(): void {
    if (this.#isDue || this.#isBlocked) return
    this.#isDue = true
    this.#turns.ask(this)
  }

  #block(): void {
    if (this.#isBlocked) return
    this.#isBlocked = true
    this.#stream.once('drain', () => {
      this.#isBlocked = false
      if (this.#queue.length > 0) this.#ask()
    })
  }
}
