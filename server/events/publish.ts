import type { CborValue } from '../../protocol/value.ts'
import type { SqlOrTransaction, Topic } from '../plugin.ts'
import { encodeBatch, isCbor } from './batch.ts'

/** What one row holds at most: a reader decodes it whole. */
const MAX_EVENTS = 1000
const MAX_BYTES = 1 << 20

type Event = readonly [topic: string, payload: CborValue]

/**
 * Writes events in the caller's transaction, as few rows as possible.
 * @throws ZodError for a payload that its topic does not allow; then nothing was written
 */
export async function publishEvents(
  tx: SqlOrTransaction,
  events: readonly (readonly [topic: Topic<unknown>, payload: unknown])[],
): Promise<void> {
  const checked = events.map(([topic, payload]) => checkedEvent(topic, payload))
  for (let begin = 0; begin < checked.length; ) begin += await writeRow(tx, checked.slice(begin, begin + MAX_EVENTS))
}

function checkedEvent(topic: Topic<unknown>, payload: unknown): Event {
  const checked: unknown = topic.schema.parse(payload)
  if (!isCbor(checked))
    throw new TypeError(`the payload of an event "${topic.id}" holds a value that CBOR has no form for`)
  return [topic.id, checked]
}

/** Writes one row; gives how many of the events are in it: fewer if they are large. */
async function writeRow(tx: SqlOrTransaction, events: readonly Event[]): Promise<number> {
  const body = encodeBatch(events)
  const half = Math.ceil(events.length / 2)
  if (body.length > MAX_BYTES && events.length > 1) return writeRow(tx, events.slice(0, half))
  const topics = [...new Set(events.map(([topic]) => topic))]
  // The notification goes out when the caller commits, and only then.
  await tx`
    WITH written AS (
      INSERT INTO core.event_batch (topics, count, body) VALUES (${topics}, ${events.length}, ${body}) RETURNING id
    )
    SELECT pg_notify('core_events', '') FROM written`
  return events.length
}
