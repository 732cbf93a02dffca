import type { EventPage, EventRecord } from '../plugin.ts'
import { formatCursor, type Position } from './cursor.ts'
import { cursorExpired } from './errors.ts'
import type { EventStore } from './store.ts'

const PORTION = { rows: 32, bytes: 1 << 20 }

/**
 * At most `first` events of the topics behind a place, in order.
 * @throws StreamEnd CURSOR_EXPIRED if events between the place and the next kept one are gone
 */
export async function readPage(
  store: EventStore,
  topics: ReadonlySet<string> | null,
  first: number,
  after: Position | undefined,
): Promise<EventPage> {
  const head = await store.head()
  const events: EventRecord[] = []
  let seq = after === undefined ? 0 : after.seq - 1
  while (seq < head && events.length <= first) {
    const read = await store.read({ after: seq, upTo: head }, topics, PORTION)
    const pruned = await store.pruned(topics)
    if (after !== undefined && pruned > seq) throw cursorExpired(formatCursor(pruned + 1, -1))
    for (const batch of read.batches) {
      const begin = batch.seq === after?.seq ? after.index + 1 : 0
      for (const record of batch.records().slice(begin)) {
        if (topics === null || topics.has(record.topic)) events.push(record)
        if (events.length > first) break
      }
      if (events.length > first) break
    }
    seq = read.upTo
  }
  return { events: events.slice(0, first), hasMore: events.length > first }
}
