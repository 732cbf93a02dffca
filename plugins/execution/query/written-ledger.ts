import {
  type Action,
  type ActionError,
  type CborValue,
  type CommittedHeader,
  decodeTransaction,
  encode,
  encodeBody,
  encodeHeader,
  encodeRootHeader,
  encodeTransaction,
  encodeUnsigned,
  encodeVotes,
  headerHash,
  headersRoot,
  listRoot,
  rootHeaderHash,
  sha256,
  sortCommitted,
  Writer,
  writeReceipt,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { BlockPlace } from '../api.ts'
import { encodeEntries } from '../root/root-store.ts'
import { type MessageOutcome, outcomesValue } from '../shard/outcome.ts'

/** For tests: 32 bytes that a text stands for. */
export const named = (text: string): Uint8Array => sha256(new TextEncoder().encode(text))

export const TEST_NETWORK = named('test network')

/** A transaction to write, and what its block made of it. */
export interface WrittenTransaction {
  readonly id: Uint8Array
  readonly sender: Uint8Array
  readonly wire: Uint8Array
  readonly statuses: readonly number[]
  readonly errors: readonly ActionError[]
  readonly remote: number
}

/** A transaction of a sender; DONE, if nothing else is said. The signature is none. */
export function transactionOf(
  sender: string,
  nonce: number,
  options: {
    readonly actions?: readonly Partial<Action>[]
    readonly statuses?: readonly number[]
    readonly errors?: readonly ActionError[]
    readonly remote?: number
  } = {},
): WrittenTransaction {
  const actions = (options.actions ?? [{}]).map((action) => ({
    to: named('receiver'),
    realm: 0,
    call: 'account.credit',
    args: {},
    value: 1n,
    ...action,
  }))
  const address = named(sender)
  const fields = { network: TEST_NETWORK, realm: 0, sender: address, key: address, lane: 0, nonce, actions }
  const wire = encodeTransaction(encodeUnsigned({ ...fields, validUntil: 100, maxFee: 1000n }), new Uint8Array(64))
  return {
    id: decodeTransaction(wire).id,
    sender: address,
    wire,
    statuses: options.statuses ?? actions.map(() => 0),
    errors: options.errors ?? [],
    remote: options.remote ?? 0,
  }
}

/** Milliseconds since 1970 of a test block's time. */
const FIRST_TIME = Date.UTC(2026, 0, 1)

/** Writes blocks into the ledger's tables as the engine would. */
export class WrittenLedger {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /**
   * Writes a block; its time is so many seconds after FIRST_TIME.
   * @param events [topic, payload, origin, action]
   */
  async block(
    place: BlockPlace & { readonly seconds?: number },
    transactions: readonly WrittenTransaction[],
    events: readonly (readonly [string, CborValue, Uint8Array, number])[] = [],
  ): Promise<{ readonly hash: Uint8Array }> {
    const { shard, height } = place
    const receipts = transactions.map(receiptOf)
    const body = encodeBody(transactions.map(({ wire }) => wire))
    const time = FIRST_TIME + (place.seconds ?? height) * 1000
    const header = encodeHeader({
      shard,
      height,
      prevHash: ZERO_HASH,
      rootCursor: 1,
      txRoot: listRoot(receipts),
      outRoot: listRoot([]),
      cellsRoot: named(`cells ${shard} ${height}`),
      deferredRoot: ZERO_HASH,
      arrivals: 0,
      basePrice: 7n,
      bodyHash: ZERO_HASH,
      txCount: transactions.length,
      txWeight: 11n,
      weight: 13n,
      congestion: 0,
      time,
    })
    const hash = headerHash(header)
    await this.#sql`
      INSERT INTO block (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
      VALUES (${shard}, ${height}, ${hash}, ${header}, ${body}, ${Buffer.concat(receipts)}, '', '',
        ${transactions.length}, ${new Date(time)}, 0, 0, 0)`
    let bodyAt = headOf(transactions.length)
    let receiptAt = 0
    for (const [index, { id, sender, wire, errors, remote }] of transactions.entries()) {
      await this.#sql`
        INSERT INTO tx (id, sender, shard, height, index, body_at, receipt_at, refused, remote)
        VALUES (${id}, ${sender}, ${shard}, ${height}, ${index}, ${bodyAt}, ${receiptAt}, ${errors.length > 0}, ${remote})`
      bodyAt += wire.length
      receiptAt += receipts[index]?.length ?? 0
    }
    const announced = { shard, height, hash, txCount: transactions.length, time }
    const batch = [['execution.block', announced, new Uint8Array(0), 0], ...events] as const
    const topics = [...new Set(batch.map(([topic]) => topic))]
    await this.#sql`
      INSERT INTO core.event_batch (shard, height, topics, count, body)
      VALUES (${shard}, ${height}, ${topics}, ${batch.length}, ${encode(batch as unknown as CborValue)})`
    return { hash }
  }

  /** What a later block made of a transaction's messages. */
  async outcome(id: Uint8Array, place: BlockPlace, delta: number, messages: readonly MessageOutcome[]): Promise<void> {
    const refused = messages.some(({ status }) => status === 1)
    await this.#sql`
      INSERT INTO outcome (tx, shard, height, delta, refused, detail)
      VALUES (${id}, ${place.shard}, ${place.height}, ${delta}, ${refused}, ${encode(outcomesValue(messages))})`
  }

  /** A root block that commits these blocks. */
  async rootBlock(height: number, places: readonly BlockPlace[]): Promise<void> {
    const entries: CommittedHeader[] = []
    for (const { shard, height: block } of places) {
      const [row] = await this.#sql<{ hash: Uint8Array }[]>`
        SELECT hash FROM block WHERE shard = ${shard} AND height = ${block}`
      entries.push({ shard, height: block, hash: row?.hash ?? ZERO_HASH })
    }
    const list = sortCommitted(entries)
    const empty = {
      cellsRoot: ZERO_HASH,
      outRoot: listRoot([]),
      exportsRoot: ZERO_HASH,
      headersRoot: headersRoot(list),
    }
    const rest = { reveal: ZERO_HASH, random: ZERO_HASH, anchor: ZERO_HASH }
    const header = encodeRootHeader({ height, prevHash: ZERO_HASH, time: FIRST_TIME, ...empty, ...rest })
    await this.#sql`
      INSERT INTO root_block (height, hash, header, votes, entries, time)
      VALUES (${height}, ${rootHeaderHash(header)}, ${header}, ${encodeVotes([])}, ${encodeEntries(list)}, ${new Date(FIRST_TIME)})`
    for (const { shard, height: block } of places) {
      await this.#sql`INSERT INTO root_entry (shard, height, root) VALUES (${shard}, ${block}, ${height})`
    }
  }
}

function receiptOf({ id, statuses, errors }: WrittenTransaction): Uint8Array {
  const writer = new Writer()
  writeReceipt(writer, { id, statuses: Uint8Array.from(statuses), fee: 91n, errors })
  return writer.finish()
}

/** Bytes of an array's head. */
function headOf(length: number): number {
  const writer = new Writer()
  writer.arrayHeader(length)
  return writer.length
}
