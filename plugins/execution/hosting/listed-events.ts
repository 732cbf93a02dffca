import { equal } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { HostDatabases } from './host-databases.ts'
import { HostError } from './host-store.ts'
import { lastListed } from './listed.ts'

/** Blocks whose events are handed over in one transaction. */
const PAGE = 64
/** Bytes of events after which such a transaction ends early. */
const MAX_BYTES = 8 * 1024 * 1024

/** The events of one block, as they are stored. */
export interface BlockEvents {
  readonly height: bigint
  readonly topics: string[]
  readonly count: number
  readonly body: Uint8Array
}

/** Events that should be handed over are nowhere to be found. */
export class EventsLostError extends Error {
  override readonly name = 'EventsLostError'
  readonly code = 'EVENTS_LOST'
}

/** Whose events are asked for. */
export interface ListedEventsQuestion {
  readonly shard: string
  /** The name of its host. */
  readonly host: string
  /** Ask its database even if the root chain lists nothing new: whether it is the right one, and has anything left. */
  readonly looksAnyway: boolean
}

/** What may be handed over of a shard that lives on a shard host. */
export interface ListedEvents {
  /** Of the next blocks, in order, each block's once. */
  readonly next: readonly BlockEvents[]
  /** Up to this height all are in the node's event stream. */
  readonly done: bigint
  /** Nothing is left, not even what the root chain does not list yet. */
  readonly isAll: boolean
}

/**
 * The next events of a shard, of blocks that the root chain lists: only these stay, whatever happens to the database of
 * the shard host. A copy of it that lacks unlisted blocks makes others in their place, and nobody heard of the first.
 * @throws HostError STATE_LOST if a listed block is not in that database; EventsLostError if events are neither there
 *   nor in the node's own stream; the databases' errors
 */
export async function listedEvents(
  databases: HostDatabases,
  { shard, host, looksAnyway }: ListedEventsQuestion,
): Promise<ListedEvents> {
  const { main } = databases
  const [listed, done] = await Promise.all([lastListed(main, shard), handedOver(main, shard)])
  const isNew = listed !== null && listed.height > done
  if (listed === null || !(isNew || looksAnyway)) return { next: [], done, isAll: false }
  const there = databases.at(host)
  const ask = <T>(question: (sql: Sql) => Promise<T>): Promise<T> => databases.within(there, question)
  const [known, next, rest] = await Promise.all([
    ask((sql) => hashAt(sql, shard, listed.height)),
    ask((sql) => eventsBetween(sql, shard, done, listed.height)),
    ask((sql) => hasEventsAfter(sql, shard, done)),
  ])
  // The first block of the genesis document is listed before the shard host is ever started.
  if (known === undefined && listed.height === 0 && !isNew) return { next: [], done, isAll: false }
  if (known === undefined || !equal(known, listed.hash))
    throw new HostError(
      'STATE_LOST',
      `block ${listed.height} of shard ${shard}, which the root chain lists, is not in the database of shard host ` +
        `"${host}": it is another one, or an old copy; its events wait`,
    )
  // Each block follows from the one before, so all up to there are the right ones, and each has events.
  const gap = next.findIndex(({ height }, i) => height !== done + BigInt(i + 1))
  const isMissing = gap >= 0 || (next.length === 0 && isNew)
  // A newer leader may have handed them over just now.
  if (isMissing && (await handedOver(main, shard)) !== done) return { next: [], done, isAll: false }
  if (isMissing)
    throw new EventsLostError(
      `the events of block ${done + BigInt(Math.max(gap, 0) + 1)} of shard ${shard} are not in the database of shard ` +
        `host "${host}" any more, and not in the event stream: they were handed over, and this node's database is an old copy`,
    )
  return { next, done, isAll: !rest }
}

/** The height up to which the events of a shard are in the node's own stream; before any are, that before its first. */
async function handedOver(main: Sql, shard: string): Promise<bigint> {
  // The first block of the genesis document has none.
  const [row] = await main<{ height: bigint | null }[]>`
    SELECT coalesce(
      (SELECT height FROM event_relay WHERE shard = ${shard}),
      (SELECT height - (root > 0)::int FROM root_entry WHERE shard = ${shard} ORDER BY height LIMIT 1)
    ) AS height`
  return row?.height ?? -1n
}

async function hashAt(sql: Sql, shard: string, height: number): Promise<Uint8Array | undefined> {
  const [row] = await sql<{ hash: Uint8Array }[]>`SELECT hash FROM block WHERE shard = ${shard} AND height = ${height}`
  return row?.hash
}

/** The next batches behind a height and up to another, at least one if there is any. */
async function eventsBetween(sql: Sql, shard: string, after: bigint, last: number): Promise<readonly BlockEvents[]> {
  return sql<BlockEvents[]>`
    SELECT height, topics, count, body FROM (
      SELECT near.*, sum(octet_length(body)) OVER (ORDER BY height) - octet_length(body) AS before FROM (
        SELECT height, topics, count, body FROM core.event_batch
        WHERE shard = ${shard} AND height > ${after} AND height <= ${last} ORDER BY height LIMIT ${PAGE}
      ) AS near
    ) AS piece
    WHERE before < ${MAX_BYTES} ORDER BY height`
}

async function hasEventsAfter(sql: Sql, shard: string, height: bigint): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    SELECT EXISTS (SELECT FROM core.event_batch WHERE shard = ${shard} AND height > ${height}) AS found`
  return row?.found === true
}
