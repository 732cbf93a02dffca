import type { Ledger, TransactionState } from '../api.ts'
import { told } from './told.ts'

export interface Found<T> {
  readonly found: T | null
  /** What the ledger says of a transaction that is in no block. */
  readonly state: TransactionState | null
}

/**
 * Reads transactions from the blocks, and asks the ledger about those that are in none.
 * @param read gives what the blocks hold, in the order of the ids
 */
export async function fillFromLedger<T>(
  ledger: Ledger,
  ids: readonly Uint8Array[],
  read: (ids: readonly Uint8Array[]) => Promise<readonly (T | null)[]>,
): Promise<Found<T>[]> {
  const first = await read(ids)
  const results: Found<T>[] = first.map((found) => ({ found, state: null }))
  const missing = [...results.keys()].filter((index) => results[index]?.found === null)
  if (missing.length === 0) return results
  const states = await told(() => ledger.states(pick(ids, missing)))
  const late: number[] = []
  missing.forEach((index, at) => {
    const state = states[at] ?? null
    results[index] = { found: null, state }
    if (state !== null && state.at !== null) late.push(index)
  })
  if (late.length === 0) return results
  // They got into a block between the two questions.
  const second = await read(pick(ids, late))
  late.forEach((index, at) => {
    results[index] = { found: second[at] ?? null, state: results[index]?.state ?? null }
  })
  return results
}

const pick = (ids: readonly Uint8Array[], indexes: readonly number[]): Uint8Array[] =>
  indexes.flatMap((index) => ids[index] ?? [])
