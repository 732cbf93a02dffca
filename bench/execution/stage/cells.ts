import { cellPath, encodeCell } from '../../../protocol/index.ts'

/** What every account of a bench holds at first, in units. */
export const STAGE_BALANCE = 10n ** 12n

/** A cell as the cell table has it. */
export interface StageCell {
  readonly path: Uint8Array
  readonly record: Uint8Array
}

/**
 * The id of account `index`: 32 bytes that look random. Nobody has its key, which a shard does not ask for: signatures
 * were checked before.
 */
export function stageId(index: number): Uint8Array {
  const id = new Uint8Array(32)
  const words = new Uint32Array(id.buffer)
  let state = index + 1
  for (let i = 0; i < 8; i++) {
    // Splitmix32: nothing depends on its quality, only that ids differ and spread.
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    words[i] = mixed ^ (mixed >>> 15)
  }
  words[7] = index
  return id
}

/** The cell of an account that was never used. */
export function stageCell(id: Uint8Array): StageCell {
  return { path: cellPath(id), record: encodeCell({ id, owner: 'account', balance: STAGE_BALANCE, value: null }) }
}
