import type { GraphQLError } from 'graphql'
import { apiError } from '../../../schema/index.ts'
import { slowConsumer } from '../../events/errors.ts'
import { type Approaching, type Broadcast, GONE, type Member } from './broadcast.ts'
import { Message } from './message.ts'

export interface ReaderParts {
  /** What it may see, by name: readers of one access are ended together. */
  readonly access: string
  /** Where it goes on if it is ended before it has got anything; undefined if it cannot be resumed. */
  readonly start: string | undefined
  /** A first result for this reader alone. */
  readonly greeting: Message | undefined
  /** Called once, if it changes over to the shared broadcast. */
  readonly onShared: (reader: Reader) => void
  /** Called once, when it has ended in whatever way. */
  readonly onEnd: (reader: Reader) => void
}

/**
 * One client's subscription. The transport takes results when it can write them, and is told when there are some. An
 * error, a slow reader or a shutdown is a last result with a code, so that every transport delivers it.
 */
export class Reader implements Member, Approaching {
  position = 0
  /** Called when there may be something to take, or it is done. Often; must be quick. */
  onReady: () => void = () => undefined
  readonly #parts: ReaderParts
  #broadcast: Broadcast | undefined
  /** The shared one, while it reads one of its own. */
  #shared: Broadcast | undefined
  #cursor: string | undefined
  #greeting: Message | undefined
  #last: Message | undefined
  #isDone = false

  constructor(parts: ReaderParts) {
    this.#parts = parts
    this.#cursor = parts.start
    this.#greeting = parts.greeting
  }

  get access(): string {
    return this.#parts.access
  }

  /** Whether everything was taken. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Follows a broadcast from now on. */
  follow(broadcast: Broadcast): void {
    if (this.#isDone) return
    this.#broadcast = broadcast
    broadcast.join(this)
  }

  /** Follows a broadcast behind the reader's cursor, if it still has that. */
  followBehind(broadcast: Broadcast): boolean {
    if (this.#cursor === undefined || !broadcast.joinBehind(this, this.#cursor)) return false
    this.#broadcast = broadcast
    return true
  }

  /** Names the broadcast that it may change over to, or none. */
  approach(shared: Broadcast | undefined): void {
    this.#shared = shared
    if (shared !== undefined) this.meet()
  }

  /** The next result, or undefined: then look whether it is done. */
  take(): Message | undefined {
    if (this.#isDone) return undefined
    if (this.#last !== undefined) return this.#takeLast(this.#last)
    const greeting = this.#greeting
    if (greeting !== undefined) {
      this.#greeting = undefined
      return greeting
    }
    let message = this.#broadcast?.take(this)
    if (message === undefined && this.#changeOver()) message = this.#broadcast?.take(this)
    if (message === GONE) return this.#takeLast(this.#tooSlow())
    if (message === undefined) {
      if (this.#broadcast?.isOver === true) this.close()
      return undefined
    }
    if (message.cursor !== undefined) this.#cursor = message.cursor
    return message
  }

  wake(): void {
    this.onReady()
  }

  meet(): void {
    if (this.#changeOver()) this.onReady()
  }

  /**
   * Ends it from outside; what it has not taken yet is left to whoever resumes it.
   * @param explain makes the error, with the cursor to resume from if there is one
   */
  end(explain: (cursor: string | undefined) => GraphQLError): void {
    if (this.#isDone || this.#last !== undefined) return
    this.#last = lastMessage(explain(this.#cursor))
    this.#leave()
    this.onReady()
  }

  /** The client wants no more. */
  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#leave()
    this.#parts.onEnd(this)
  }

  /** Leaves its own broadcast for the shared one when it has read exactly what that has given. */
  #changeOver(): boolean {
    const own = this.#broadcast
    const shared = this.#shared
    if (shared === undefined || own === undefined || this.#cursor === undefined) return false
    if (this.position < own.end || own.isOver) return false
    if (!shared.joinBehind(this, this.#cursor)) return false
    own.leave(this)
    this.#broadcast = shared
    this.#shared = undefined
    this.#parts.onShared(this)
    return true
  }

  #takeLast(last: Message): Message {
    this.close()
    return last
  }

  #tooSlow(): Message {
    const cursor = this.#cursor
    const behind = (this.#broadcast?.end ?? 0) - this.position
    if (cursor !== undefined) return lastMessage(slowConsumer(cursor, behind))
    return lastMessage(
      apiError('SLOW_CONSUMER', `The reader fell ${behind} results behind. Read faster, and subscribe again.`),
    )
  }

  #leave(): void {
    this.#shared = undefined
    this.#greeting = undefined
    this.#broadcast?.leave(this)
    this.#broadcast = undefined
  }
}

const lastMessage = (error: GraphQLError): Message => new Message({ data: null, errors: [error] }, undefined)
