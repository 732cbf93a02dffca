import { strict as assert } from 'node:assert'
import { type CborValue, cellPath, decode, encode, equal, toHex } from '../../../protocol/index.ts'
import type { PaperEvent } from './note.ts'
import { isBlank, type PaperCells, recordOf } from './paper-cells.ts'
import type { PaperOutcome, PaperResult } from './paper-run.ts'
import type { StoredBlock, Written } from './stored.ts'

/** What a transaction of an earlier block came to in this one. */
export interface PaperFollowUp {
  readonly transaction: Uint8Array
  delta: number
  readonly outcomes: PaperOutcome[]
}

/** The ledger wrote these cells; it may write others, whose calls were refused, as they were. */
export function checkCells({ shard, height, cells }: Written, realm: number, paper: PaperCells): void {
  const place = `${shard}/${height}`
  const stored = new Map(cells.map(({ path, record }) => [toHex(path), record]))
  for (const { before, after } of paper.written()) {
    const path = toHex(cellPath(after.id))
    const expected = isBlank(after) ? null : recordOf(after)
    const found = stored.get(path)
    stored.delete(path)
    if (found === undefined) {
      const isChanged = !equal(recordOf(before), recordOf(after))
      assert.ok(!isChanged, `${place} did not write cell ${toHex(after.id)}: the model has ${said(expected)}`)
    } else if (!same(found, expected)) {
      assert.fail(`${place} wrote cell ${toHex(after.id)} as ${said(found)}, the model ${said(expected)}`)
    }
  }
  for (const record of stored.values()) {
    const [id] = decode(record ?? encode([])) as unknown as [Uint8Array | undefined]
    const cell = id && paper.at({ realm, id })
    const isAsBefore = record !== null && cell !== undefined && equal(record, recordOf(cell))
    assert.ok(isAsBefore, `${place} wrote a cell that the model did not change, as ${said(record)}`)
  }
}

/** The same events, in the same order. */
export function checkEvents({ shard, height, events }: Written, expected: readonly PaperEvent[]): void {
  const bytesOf = ({ topic, payload, origin, action }: PaperEvent) => encode([topic, payload, origin, action])
  for (let i = 0; i < Math.max(events.length, expected.length); i++) {
    const [found, wanted] = [events[i], expected[i]].map((event) => event && bytesOf(event))
    if (found !== undefined && wanted !== undefined && equal(found, wanted)) continue
    assert.fail(`event ${i} of ${shard}/${height} is ${said(found)}, the model's ${said(wanted)}`)
  }
}

/** Each transaction did what the model says, at the price that it says. */
export function checkReceipts(
  { shard, height, receipts, transactions }: StoredBlock,
  expected: readonly (PaperResult & { readonly fee: bigint })[],
): void {
  assert.equal(receipts.length, expected.length)
  for (const [i, { id, statuses, fee, errors }] of receipts.entries()) {
    const wanted = expected[i]
    const transaction = transactions[i]?.transaction
    const place = `transaction ${i} of ${shard}/${height}, ${toHex(id)}`
    assert.ok(wanted !== undefined && transaction !== undefined && equal(id, transaction.id), place)
    assert.deepEqual([...statuses], wanted.statuses, `${place}: statuses of actions`)
    assert.equal(fee, wanted.fee, `${place}: fee`)
    const found = errors.map(({ action, code, message }, at) => {
      return { action, code, text: wanted.errors[at]?.text === undefined ? undefined : message }
    })
    assert.deepEqual(found, wanted.errors, `${place}: refusals`)
  }
}

/** What became of transactions of other blocks. */
export function checkOutcomes({ shard, height, outcomes }: Written, expected: readonly PaperFollowUp[]): void {
  const found = outcomes.map(({ transaction, delta, refused, messages }) => {
    return `${toHex(transaction)}: ${delta} ${refused} ${JSON.stringify(messages)}`
  })
  const wanted = expected.map(({ transaction, delta, outcomes: messages }) => {
    const list = messages.map(({ action, kind, status, code }) => [action, kind, status, code])
    return `${toHex(transaction)}: ${delta} ${isRefused(messages)} ${JSON.stringify(list)}`
  })
  assert.deepEqual(found.sort(), wanted.sort(), `outcomes in ${shard}/${height}`)
}

/** True if one of them is an action that was refused: what calls sent is their modules' affair. */
export const isRefused = (outcomes: readonly PaperOutcome[]): boolean =>
  outcomes.some(({ kind, status }) => kind === 0 && status === 1)

/** The root chain exports what it should. */
export function checkExports(
  height: number,
  found: ReadonlyMap<string, CborValue>,
  before: ReadonlyMap<string, CborValue>,
  after: ReadonlyMap<string, CborValue>,
): void {
  const changed = [...after].filter(([key, value]) => !equal(encode(value), encode(before.get(key) ?? null)))
  const lines = (entries: Iterable<readonly [string, CborValue]>): string[] =>
    [...entries].map(([key, value]) => `${key} ${toHex(encode(value))}`).sort()
  assert.deepEqual(lines(found), lines(changed), `exports of root block ${height}`)
}

const same = (a: Uint8Array | null, b: Uint8Array | null): boolean => (a === null || b === null ? a === b : equal(a, b))

/** CBOR in words. */
function said(bytes: Uint8Array | null | undefined): string {
  if (bytes === null || bytes === undefined) return 'nothing'
  return JSON.stringify(decode(bytes), (_key, value: unknown) =>
    value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? `${value}` : value,
  )
}
