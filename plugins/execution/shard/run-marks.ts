import type { Message } from '../../../protocol/index.ts'
import { BadRunError, type Running } from './running.ts'

const KINDS = ['transaction', 'admission', 'trial', 'message'] as const

// Places of the numbers.
const ACTIVE = 0
const RUNS = 1
/** Of the last run: an index in KINDS, plus 1. */
const KIND = 2
/** The slot of its call's name. */
const CALL = 3
/** The realm of the cell that sent it. */
const REALM = 4
/** Counts up while the thread takes its turns. */
const BEAT = 5
/** Places of the bytes: three ids, then the names of calls, each with its length in front. */
const ID = 32
const FROM = 64
const TO = 96
const NAMES = 128
const NAME = 80
/** Calls that can be told apart; those beyond are told as unknown. */
const MAX_NAMES = 1024

export const MARK_BYTES = NAMES + MAX_NAMES * NAME

/**
 * Says in shared memory what a shard's thread runs, so that another thread can tell when it does not come back, or what
 * it was when it ended. A mark is a few stores: nothing is allocated, and nothing waits.
 */
export class RunMarks {
  readonly #numbers: Int32Array
  readonly #bytes: Uint8Array
  readonly #slots = new Map<string, number>()

  constructor(memory: SharedArrayBuffer | ArrayBuffer = new ArrayBuffer(MARK_BYTES)) {
    this.#numbers = new Int32Array(memory, 0, 8)
    this.#bytes = new Uint8Array(memory)
    // The thread before this one may have been cut short.
    Atomics.store(this.#numbers, ACTIVE, 0)
    this.forget()
  }

  /** What runs next is the engine's own. */
  forget(): void {
    this.#numbers[KIND] = 0
  }

  /** What is to run next. `id`: of the transaction, 32 bytes. */
  transaction(kind: 'transaction' | 'admission' | 'trial', id: Uint8Array): void {
    this.#numbers[KIND] = 1 + KINDS.indexOf(kind)
    this.#putId(id, ID)
    this.#numbers[CALL] = 0
  }

  /** A message is to run next. */
  message({ origin, from, fromRealm, to }: Pick<Message, 'origin' | 'from' | 'fromRealm' | 'to'>): void {
    this.#numbers[KIND] = 1 + KINDS.indexOf('message')
    this.#putId(origin, ID)
    this.#putId(from, FROM)
    this.#putId(to, TO)
    this.#numbers[REALM] = fromRealm
    this.#numbers[CALL] = 0
  }

  /**
   * Runs it now, up to where it ends or has to wait.
   * @throws BadRunError naming it, for whatever it throws
   */
  run<T>(code: () => T): T {
    Atomics.add(this.#numbers, RUNS, 1)
    Atomics.store(this.#numbers, ACTIVE, 1)
    try {
      return code()
    } catch (error) {
      const running = this.last
      throw running === undefined ? error : new BadRunError(running, error)
    } finally {
      Atomics.store(this.#numbers, ACTIVE, 0)
    }
  }

  /** It runs this call. */
  call(name: string): void {
    this.#numbers[CALL] = this.#slots.get(name) ?? this.#newSlot(name)
  }

  /** The thread takes its turns. */
  beat(): void {
    Atomics.add(this.#numbers, BEAT, 1)
  }

  /** What runs, or ran last. */
  get last(): Running | undefined {
    return readRunning(this.#bytes)
  }

  /** 32 bytes, or zeros for what is no id. In shared memory a loop is four times as fast as `set`. */
  #putId(id: Uint8Array, at: number): void {
    const bytes = this.#bytes
    if (id.length !== 32) bytes.fill(0, at, at + 32)
    else for (let i = 0; i < 32; i++) bytes[at + i] = id[i]!
  }

  #newSlot(name: string): number {
    const slot = this.#slots.size + 1
    if (slot >= MAX_NAMES) return 0
    const encoded = new TextEncoder().encode(name).subarray(0, NAME - 1)
    const at = NAMES + slot * NAME
    this.#bytes[at] = encoded.length
    this.#bytes.set(encoded, at + 1)
    this.#slots.set(name, slot)
    return slot
  }
}

/** Where a thread is: two looks that give the same numbers mean that nothing has changed between them. */
export interface Position {
  /** Counts runs; undefined while nothing runs. */
  readonly run: number | undefined
  readonly beat: number
}

/** Reads where a thread is, from another one. */
export function readPosition(memory: SharedArrayBuffer): Position {
  const numbers = new Int32Array(memory, 0, 8)
  const isActive = Atomics.load(numbers, ACTIVE) === 1
  return { run: isActive ? Atomics.load(numbers, RUNS) : undefined, beat: Atomics.load(numbers, BEAT) }
}

/** Reads what runs, or ran last; undefined if nothing ever ran. `bytes`: all of the memory. */
export function readRunning(bytes: Uint8Array): Running | undefined {
  const numbers = new Int32Array(bytes.buffer, 0, 8)
  const kind = KINDS[(numbers[KIND] ?? 0) - 1]
  if (kind === undefined) return undefined
  const at = NAMES + (numbers[CALL] ?? 0) * NAME
  // A copy: text cannot be decoded from shared memory.
  const call = new TextDecoder().decode(bytes.slice(at + 1, at + 1 + (bytes[at] ?? 0)))
  const id = bytes.slice(ID, ID + 32)
  if (kind !== 'message') return { kind, id, call }
  const fromRealm = (numbers[REALM] ?? 0) >>> 0
  return { kind, id, call, from: bytes.slice(FROM, FROM + 32), fromRealm, to: bytes.slice(TO, TO + 32) }
}
