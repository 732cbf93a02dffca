import {
  type BlockHeader,
  type CborValue,
  decode,
  decodeBody,
  decodeHeader,
  decodeRootHeader,
  decodeTransaction,
  type Receipt,
  readReceipts,
  type Transaction,
} from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { PaperEvent } from './note.ts'

/** What a block leaves in the database, apart from what the model must find out by itself. */
export interface Written {
  readonly shard: string
  readonly height: number
  /** The records of the cells that it changed, by 0x-less hex of their paths; null for those that are gone. */
  readonly cells: readonly { readonly path: Uint8Array; readonly record: Uint8Array | null }[]
  readonly events: readonly PaperEvent[]
  readonly outcomes: readonly StoredOutcome[]
}

export interface StoredOutcome {
  readonly transaction: Uint8Array
  readonly delta: number
  readonly refused: boolean
  /** [action, kind, status, code] of each message. */
  readonly messages: readonly (readonly [number, number, number, string])[]
}

export interface StoredBlock extends Written {
  readonly header: BlockHeader
  readonly hash: Uint8Array
  readonly transactions: readonly { readonly transaction: Transaction; readonly bytes: number }[]
  readonly receipts: readonly Receipt[]
}

export interface StoredRoot extends Written {
  readonly time: number
  readonly random: Uint8Array
  /** The blocks that it lists, in its order. */
  readonly blocks: readonly StoredBlock[]
  /** What it changed of the exports. */
  readonly exports: ReadonlyMap<string, CborValue>
}

/** The most root blocks of a query. */
const PAGE = 200

/** Reads the root blocks after a height, with the blocks that they list. */
export async function* storedRoots(sql: Sql, after: number): AsyncGenerator<StoredRoot> {
  for (let last = after; ; ) {
    const roots = await sql<RootRow[]>`
      SELECT height, header, delta, exports FROM root_block WHERE height > ${last} ORDER BY height LIMIT ${PAGE}`
    const [first, end] = [Number(roots[0]?.height ?? 0), Number(roots.at(-1)?.height ?? 0)]
    const listed = await sql<(BlockRow & { root: bigint })[]>`
      SELECT entry.root, block.shard, block.height, hash, header, body, receipts, delta
      FROM root_entry AS entry JOIN block USING (shard, height) WHERE entry.root BETWEEN ${first} AND ${end}
      ORDER BY entry.root, block.shard COLLATE "C", block.height`
    const places = [
      ...roots.map(({ height }) => ({ shard: 'root', height: Number(height) })),
      ...listed.map(({ shard, height }) => ({ shard, height: Number(height) })),
    ]
    const byPlace = await writtenAt(sql, places)
    for (const row of roots) {
      const height = Number(row.height)
      const { time, random } = decodeRootHeader(row.header)
      const blocks = listed.filter(({ root }) => root === row.height).map((block) => blockOf(block, byPlace))
      yield { ...written('root', row, byPlace), time, random, blocks, exports: exportsIn(row.exports), height }
    }
    if (roots.length < PAGE) return
    last = end
  }
}

interface RootRow {
  readonly height: bigint
  readonly header: Uint8Array
  readonly delta: Uint8Array
  readonly exports: Uint8Array
}

interface BlockRow {
  readonly shard: string
  readonly height: bigint
  readonly hash: Uint8Array
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly receipts: Uint8Array
  readonly delta: Uint8Array
}

type Beside = ReadonlyMap<string, Pick<Written, 'events' | 'outcomes'>>

/** Events and outcomes of blocks, by shard and height. */
async function writtenAt(sql: Sql, places: readonly { shard: string; height: number }[]): Promise<Beside> {
  const shards = places.map(({ shard }) => shard)
  const heights = places.map(({ height }) => height)
  const events = await sql<{ shard: string; height: bigint; body: Uint8Array }[]>`
    SELECT shard, height, body FROM core.event_batch
    JOIN unnest(${shards}::text[], ${heights}::int8[]) AS wanted (shard, height) USING (shard, height)`
  const outcomes = await sql<
    { shard: string; height: bigint; tx: Uint8Array; delta: number; refused: boolean; detail: Uint8Array }[]
  >`
    SELECT shard, height, tx, delta, refused, detail FROM outcome
    JOIN unnest(${shards}::text[], ${heights}::int8[]) AS wanted (shard, height) USING (shard, height)`
  const found = new Map<string, { events: PaperEvent[]; outcomes: StoredOutcome[] }>()
  for (const { shard, height } of places) found.set(`${shard} ${height}`, { events: [], outcomes: [] })
  for (const { shard, height, body } of events) found.get(`${shard} ${height}`)?.events.push(...eventsIn(body))
  for (const { shard, height, tx, delta, refused, detail } of outcomes) {
    const messages = (decode(detail) as unknown as [number, number, number, string, string][]).map(
      ([action, kind, status, code]) => [action, kind, status, code] as const,
    )
    found.get(`${shard} ${height}`)?.outcomes.push({ transaction: tx, delta, refused, messages })
  }
  return found
}

function written(shard: string, row: { height: bigint; delta: Uint8Array }, beside: Beside): Written {
  const height = Number(row.height)
  const cells = decode(row.delta) as unknown as [Uint8Array, Uint8Array | null][]
  const { events = [], outcomes = [] } = beside.get(`${shard} ${height}`) ?? {}
  return { shard, height, events, outcomes, cells: cells.map(([path, record]) => ({ path, record })) }
}

function blockOf(row: BlockRow, beside: Beside): StoredBlock {
  const transactions = decodeBody(row.body).map((wire) => ({
    transaction: decodeTransaction(wire),
    bytes: wire.length,
  }))
  const receipts = readReceipts(row.receipts)
  return {
    ...written(row.shard, row, beside),
    header: decodeHeader(row.header),
    hash: row.hash,
    transactions,
    receipts,
  }
}

const eventsIn = (body: Uint8Array): PaperEvent[] =>
  (decode(body) as unknown as [string, CborValue, Uint8Array, number][]).map(([topic, payload, origin, action]) => ({
    topic,
    payload,
    origin,
    action,
  }))

const exportsIn = (bytes: Uint8Array): Map<string, CborValue> =>
  new Map(
    (decode(bytes) as unknown as [string, Uint8Array | null][]).map(([key, value]) => [
      key,
      value === null ? null : decode(value),
    ]),
  )
