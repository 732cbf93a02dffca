import { Reader } from '../../../protocol/index.ts'

/** A changed cell as stored: its path, and its record or null if it is gone. */
export interface CellDelta {
  readonly path: Uint8Array
  readonly record: Uint8Array | null
}

/** Reads a block's delta, CBOR list of [path, record | null]. @throws CodecError */
export function readDelta(bytes: Uint8Array): CellDelta[] {
  const reader = new Reader(bytes)
  const count = reader.arrayHeader()
  const cells: CellDelta[] = []
  for (let i = 0; i < count; i++) {
    reader.arrayOf(2)
    const path = reader.bytesOf(32)
    const isGone = bytes[reader.offset] === 0xf6
    if (isGone) reader.offset++
    cells.push({ path, record: isGone ? null : reader.bytes() })
  }
  return cells
}
