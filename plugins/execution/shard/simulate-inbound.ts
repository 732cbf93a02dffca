import { encodeMessage, type Message, Reader, readMessage, STATUS } from '../../../protocol/index.ts'
import type { Execution } from './execution.ts'
import type { SimulatedMessages } from './messages.ts'
import { MESSAGE_KIND } from './outcome.ts'

/**
 * Runs messages that would arrive, and says what they would do.
 * @param execution on a copy of the state
 * @param drain runs what is queued to its end
 */
export async function simulateInbound(
  execution: Execution,
  messages: readonly Message[],
  drain: () => Promise<void>,
): Promise<SimulatedMessages> {
  const outcomes: SimulatedMessages['outcomes'][number][] = []
  for (const message of messages) {
    const eventsBefore = eventsOf(execution).length
    execution.beginInbound(message)
    await drain()
    for (const outcome of execution.inboundResult().outcomes) {
      const isRefused = outcome.status === STATUS.REFUSED
      outcomes.push({
        action: outcome.action,
        isAction: outcome.kind === MESSAGE_KIND.ACTION,
        refused: isRefused ? { code: outcome.code, message: outcome.message } : null,
        events: eventsOf(execution).slice(eventsBefore),
      })
    }
  }
  return { outcomes, outgoing: outgoingOf(execution) }
}

/** An event that a simulated call emitted. */
export interface SimulatedEvent {
  readonly topic: string
  readonly payload: unknown
  readonly action: number
}

/** All events so far. */
export function eventsOf(execution: Execution): SimulatedEvent[] {
  const bytes = execution.events.view()
  const reader = new Reader(bytes)
  const events: SimulatedEvent[] = []
  while (reader.offset < bytes.length) {
    reader.arrayOf(4)
    const topic = reader.text()
    const payload = reader.value()
    reader.bytes()
    events.push({ topic, payload: structuredClone(payload), action: reader.uint() })
  }
  return events
}

/** The messages that would leave, without their place in an out list. */
export function outgoingOf(execution: Execution): Uint8Array[] {
  return execution.outBox.finish().items.map((item) => {
    const reader = new Reader(item)
    reader.arrayOf(4)
    reader.uint()
    reader.bytesOf(32)
    reader.uint()
    return encodeMessage(readMessage(reader))
  })
}
