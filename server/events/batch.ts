import { decode, encode } from '../../protocol/cbor.ts'
import type { CborValue } from '../../protocol/value.ts'
import type { EventRecord, Topic } from '../plugin.ts'
import { formatCursor } from './cursor.ts'
import { reviver } from './revive.ts'

/** A row of event_batch that has its place. */
export interface BatchRow {
  readonly seq: bigint
  readonly time: Date
  readonly shard: string | null
  readonly height: bigint | null
  readonly topics: readonly string[]
  readonly count: number
  readonly body: Uint8Array
}

/** Gives the payloads of each topic the types that its schema promises. */
export type Revivers = ReadonlyMap<string, (payload: unknown) => unknown>

export function reviversOf(topics: readonly Topic<unknown>[]): Revivers {
  return new Map(
    topics.flatMap((topic) => {
      const revive = reviver(topic.schema)
      return revive === undefined ? [] : [[topic.id, revive] as const]
    }),
  )
}

/** The body of a batch: canonical CBOR [[topic, payload], ...]. */
export const encodeBatch = (events: readonly (readonly [topic: string, payload: CborValue])[]): Uint8Array =>
  encode(events)

/** A batch in its place. Its body is decoded once, when the first reader wants it. */
export class Batch {
  readonly seq: number
  readonly count: number
  readonly #row: BatchRow
  readonly #revivers: Revivers
  #records: readonly EventRecord[] | undefined

  constructor(row: BatchRow, revivers: Revivers) {
    this.seq = Number(row.seq)
    this.count = row.count
    this.#row = row
    this.#revivers = revivers
  }

  /** The size of the encoded body in bytes. */
  get bytes(): number {
    return this.#row.body.length
  }

  /** Whether it holds any of the topics; null stands for all. */
  has(topics: ReadonlySet<string> | null): boolean {
    return topics === null || this.#row.topics.some((topic) => topics.has(topic))
  }

  /** The events, in order; shared by all readers. */
  records(): readonly EventRecord[] {
    this.#records ??= this.#decode()
    return this.#records
  }

  #decode(): readonly EventRecord[] {
    const { body, shard, height, time } = this.#row
    // postgres.js gives a Buffer, whose slices would be Buffers too.
    const events = decode(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
    if (!Array.isArray(events)) throw new TypeError(`event batch ${this.seq} is not a list of events`)
    return events.map((event: unknown, index) => {
      if (!Array.isArray(event) || typeof event[0] !== 'string') {
        throw new TypeError(`event ${index} of batch ${this.seq} is not a topic with a payload`)
      }
      const [topic, stored]: [string, unknown] = [event[0], event[1]]
      const revive = this.#revivers.get(topic)
      const payload = revive === undefined ? stored : revive(stored)
      return { cursor: formatCursor(this.seq, index), topic, payload, shard, height, time }
    })
  }
}

/** Whether canonical CBOR can hold the value. The encoder still judges numbers and depth. */
export function isCbor(value: unknown): value is CborValue {
  if (value === null || value instanceof Uint8Array) return true
  if (Array.isArray(value)) return value.every(isCbor)
  if (typeof value === 'object') return Object.values(value).every(isCbor)
  return ['string', 'boolean', 'number', 'bigint'].includes(typeof value)
}
