import { type CborValue, Reader } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { placeLists } from './blocks.ts'
import { idKey } from './keys.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askByShard } from './spread.ts'

/** An event that a transaction caused in a block. */
export interface TransactionEvent {
  readonly action: number
  readonly topic: string
  readonly payload: CborValue
}

/** A transaction, and a block in which it did something. */
export interface TransactionAtBlock extends BlockPlace {
  readonly id: Uint8Array
}

/** Whole batches are decoded, so only so many are held at a time. */
const BATCHES_AT_A_TIME = 8

/**
 * The events that transactions caused in blocks, one list for each pair. One statement for each eight blocks: a
 * block's events are one row. What a shard host has handed over to the event stream is in the node's own database.
 */
export async function eventsOfTransactions(
  databases: ShardDatabases,
  wanted: readonly TransactionAtBlock[],
): Promise<readonly (readonly TransactionEvent[])[]> {
  return askByShard(databases, wanted, async (sql, some) => {
    const found = await eventsIn(sql, some)
    const handedOver = sql === databases.main ? [] : some.filter((_, i) => found[i]?.length === 0)
    if (handedOver.length === 0) return found
    const others = (await eventsIn(databases.main, handedOver)).values()
    return found.map((events) => (events.length === 0 ? (others.next().value ?? []) : events))
  })
}

async function eventsIn(sql: Sql, wanted: readonly TransactionAtBlock[]): Promise<TransactionEvent[][]> {
  const events: TransactionEvent[][] = wanted.map(() => [])
  const byBlock = Map.groupBy(wanted.keys(), (index) => `${wanted[index]?.shard}/${wanted[index]?.height}`)
  const blocks = [...byBlock.values()]
  for (let start = 0; start < blocks.length; start += BATCHES_AT_A_TIME) {
    const slice = blocks.slice(start, start + BATCHES_AT_A_TIME)
    const { shards, heights } = placeLists(slice.flatMap(([first = 0]) => wanted[first] ?? []))
    const rows = await sql<{ at: bigint; body: Buffer }[]>`
      SELECT wanted.at, e.body
      FROM unnest(${shards}::text[], ${heights}::bigint[]) WITH ORDINALITY AS wanted (shard, height, at)
      JOIN core.event_batch e ON e.shard = wanted.shard AND e.height = wanted.height`
    for (const { at, body } of rows) pick(body, slice[Number(at) - 1] ?? [], wanted, events)
  }
  return events
}

/** Reads one batch, CBOR [[topic, payload, origin, action], ...], and keeps what belongs to these transactions. */
function pick(
  body: Uint8Array,
  indexes: readonly number[],
  wanted: readonly TransactionAtBlock[],
  events: TransactionEvent[][],
): void {
  const places = new Map(indexes.map((index) => [idKey(wanted[index]?.id ?? NOBODY), index]))
  const reader = new Reader(body)
  const count = reader.arrayHeader()
  for (let i = 0; i < count; i++) {
    reader.arrayOf(4)
    const start = reader.offset
    reader.skip()
    reader.skip()
    const origin = reader.bytes()
    const action = reader.uint()
    const index = places.get(idKey(origin))
    // What the block itself announces has no origin.
    if (index === undefined || origin.length === 0) continue
    const entry = new Reader(body, start)
    events[index]?.push({ action, topic: entry.text(), payload: entry.value() })
  }
}

const NOBODY = new Uint8Array(0)
