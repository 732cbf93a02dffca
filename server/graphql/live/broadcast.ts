import type { Message } from './message.ts'
import type { Retained } from './retained.ts'

/** Where results come from. */
export interface Source {
  /** The next result; undefined when there is none any more. Never rejects: what went wrong is a result too. */
  next(): Promise<Message | undefined>
  /** No more is wanted. */
  close(): void
}

/** Somebody who follows a broadcast. */
export interface Member {
  /** The number of the result that it takes next. */
  position: number
  /** Something new is there, or the broadcast is over. */
  wake(): void
}

/** Somebody who reads the same results from a source of its own, and joins when both are at the same place. */
export interface Approaching {
  /** Something new is there: perhaps what it has read last. */
  meet(): void
}

export interface BroadcastParts {
  readonly source: Source
  readonly retained: Retained
  /** Readers that may join later; as long as there are any, it goes on without members. */
  readonly approaching: ReadonlySet<Approaching>
  /** Called once, when it is over or has been left by all. */
  readonly onEnd: () => void
}

/** How far the fastest member may be behind before the source waits. */
const WINDOW = { results: 256, bytes: 64 << 10 }
/** How far any other may be behind before it is given up. */
const RING = { results: 4096, bytes: 4 << 20 }
/** Results kept although all members have them: who comes back after a short cut finds its place here. */
const RECENT = 64
/** Results that are made before the event loop may turn, so that they can be written. */
const BURST = 64

/** What a member finds where its next result should be when it was too slow. */
export const GONE = Symbol('gone')

/**
 * One source, many readers. The newest results are kept in a ring, and each member has its own place in it: a member
 * costs nothing but that, and nobody waits for anybody else. The source keeps pace with the fastest member. One who
 * falls out of the ring has to be ended.
 */
export class Broadcast {
  readonly #parts: BroadcastParts
  readonly #members = new Set<Member>()
  #ring: Message[] = []
  /** The number of the ring's first result. */
  #first = 0
  #bytes = 0
  #sinceTrim = 0
  /** No member's position was beyond this; its member may have left. */
  #fastest = 0
  #room: (() => void) | undefined
  #isStarted = false
  #isOver = false
  #isClosed = false

  constructor(parts: BroadcastParts) {
    this.#parts = parts
  }

  /** The number of the result that comes next. */
  get end(): number {
    return this.#first + this.#ring.length
  }

  get size(): number {
    return this.#members.size
  }

  /** Whether the source gives no more. What is in the ring can still be taken. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether it was left by all: nobody can follow it any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Begins to read the source, if that has not begun; the first member does so too. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#run()
  }

  /** Adds a member, which gets what comes from now on. */
  join(member: Member): void {
    member.position = this.end
    this.#members.add(member)
    this.start()
  }

  /** Adds a member behind the result with this cursor, if it is in the ring. */
  joinBehind(member: Member, cursor: string): boolean {
    const index = this.#ring.findLastIndex((message) => message.cursor === cursor)
    if (index === -1) return false
    member.position = this.#first + index + 1
    this.#members.add(member)
    return true
  }

  /** Removes a member; without any, the broadcast ends. */
  leave(member: Member): void {
    if (!this.#members.delete(member)) return
    this.endIfUnused()
  }

  /** Ends the broadcast if nobody follows it. */
  endIfUnused(): void {
    if (this.#members.size > 0) return
    if (this.#parts.approaching.size > 0) this.#room?.()
    else this.#close()
  }

  /** A member's next result, or undefined if there is none yet. */
  take(member: Member): Message | typeof GONE | undefined {
    const { position } = member
    if (position < this.#first) return GONE
    const message = this.#ring[position - this.#first]
    if (message === undefined) return undefined
    member.position = position + 1
    if (position >= this.#fastest) {
      this.#fastest = position + 1
      if (this.#room !== undefined && !this.#isAhead(WINDOW.results / 2, WINDOW.bytes / 2)) this.#room()
    }
    return message
  }

  async #run(): Promise<void> {
    const { source } = this.#parts
    let burst = 0
    let bytes = 0
    for (;;) {
      const message = await source.next()
      if (this.#isClosed) return
      if (message === undefined) break
      this.#append(message)
      bytes += message.bytes
      if (++burst >= BURST || bytes >= WINDOW.bytes) {
        burst = 0
        bytes = 0
        await new Promise((resolve) => setImmediate(resolve))
      }
      while (this.#mustWait()) await new Promise<void>((resolve) => this.#waitFor(resolve))
      if (this.#isClosed) return
    }
    this.#isOver = true
    this.#parts.onEnd()
    for (const member of this.#members) member.wake()
  }

  #append(message: Message): void {
    this.#ring.push(message)
    this.#account(message.bytes)
    this.#trim()
    for (const member of this.#members) member.wake()
    for (const reader of this.#parts.approaching) reader.meet()
  }

  #waitFor(resolve: () => void): void {
    this.#room = () => {
      this.#room = undefined
      resolve()
    }
  }

  /** Whether even the fastest member has enough to read. */
  #mustWait(): boolean {
    if (this.#isClosed || this.#members.size === 0 || !this.#isAhead(WINDOW.results, WINDOW.bytes)) return false
    this.#fastest = 0
    for (const { position } of this.#members) if (position > this.#fastest) this.#fastest = position
    return this.#isAhead(WINDOW.results, WINDOW.bytes)
  }

  #isAhead(results: number, most: number): boolean {
    const unread = this.end - this.#fastest
    if (unread > results) return true
    let bytes = 0
    for (let back = 1; back <= unread && back <= this.#ring.length; back++) bytes += this.#ring.at(-back)?.bytes ?? 0
    return bytes > most
  }

  /** Lets go what no one needs; and, where that is too much, what the slowest need. */
  #trim(): void {
    const { retained } = this.#parts
    if (++this.#sinceTrim >= Math.max(RECENT / 2, this.#members.size >> 3)) {
      this.#sinceTrim = 0
      let needed = this.end - RECENT
      for (const { position } of this.#members) if (position < needed) needed = position
      this.#drop(Math.min(needed - this.#first, this.#ring.length - 1))
    }
    const bytes = retained.isTooMuch ? WINDOW.bytes : RING.bytes
    if (this.#ring.length > RING.results) this.#drop(this.#ring.length - RING.results)
    let excess = 0
    for (let over = this.#bytes - bytes; over > 0 && excess < this.#ring.length - 1; excess++)
      over -= this.#ring[excess]?.bytes ?? 0
    this.#drop(excess)
  }

  #drop(count: number): void {
    if (count <= 0) return
    for (const message of this.#ring.splice(0, count)) this.#account(-message.bytes)
    this.#first += count
  }

  #account(bytes: number): void {
    this.#bytes += bytes
    this.#parts.retained.bytes += bytes
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.retained.bytes -= this.#bytes
    this.#bytes = 0
    this.#ring = []
    this.#parts.source.close()
    if (!this.#isOver) this.#parts.onEnd()
    this.#room?.()
  }
}
