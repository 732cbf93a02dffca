import { type Message, Reader, Writer } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { MAX_EVENT_BYTES, MAX_EVENTS_PER_CALL } from '../ledger/rules.ts'

/** As `topic` makes them. */
const TOPIC = /^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9._-]*$/
const MAX_TOPIC = 200

/** What the calls of a block give off. One serves all of them, one after the other. */
export class CallOutput {
  /** Messages that the running call sent so far; dropped if it is refused. */
  readonly sent: Message[] = []
  /** CBOR of `[topic, payload, origin, action]` items that it emitted. */
  readonly events = new Writer(1024)
  eventCount = 0
  /** Topics that any call of the block emitted. */
  readonly topics = new Set<string>()
  #isEmitting = false

  /** A call begins. */
  begin(): void {
    this.sent.length = 0
    this.events.reset()
    this.eventCount = 0
  }

  /**
   * Takes an event of the running call.
   * @throws CallError VALUE_TOO_LARGE; CodecError or TypeError for what is no event. Nothing of it stays then.
   */
  emit(topic: unknown, payload: unknown, { origin, action }: Message): void {
    if (this.eventCount >= MAX_EVENTS_PER_CALL) {
      throw new CallError('VALUE_TOO_LARGE', `a call emits at most ${MAX_EVENTS_PER_CALL} events`)
    }
    const id = this.#topic(topic)
    if (this.#isEmitting) throw new TypeError('a payload that is being read cannot emit')
    const { events } = this
    const start = events.length
    let isWhole = false
    this.#isEmitting = true
    try {
      events.arrayHeader(4)
      events.text(id)
      events.value(payload as never)
      events.bytes(origin)
      events.uint(action)
      isWhole = isOneItem(events.view(start))
    } finally {
      // The call may go on after an error, and half an event must not stay.
      if (!isWhole) events.truncate(start)
      this.#isEmitting = false
    }
    if (!isWhole) throw new TypeError('the payload changed while it was read')
    if (events.length > MAX_EVENT_BYTES) {
      events.truncate(start)
      throw new CallError('VALUE_TOO_LARGE', `the events of a call have at most ${MAX_EVENT_BYTES} bytes`)
    }
    this.eventCount++
    this.topics.add(id)
  }

  #topic(id: unknown): string {
    if (typeof id === 'string' && (this.topics.has(id) || (id.length <= MAX_TOPIC && TOPIC.test(id)))) return id
    throw new TypeError('an event is emitted under a topic')
  }
}

/** An object with getters may give fewer items, or more, than it announced. */
function isOneItem(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes)
  reader.skip()
  return reader.offset === bytes.length
}
