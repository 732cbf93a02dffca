import { once } from 'node:events'
import type { Writable } from 'node:stream'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')

/** Writes rows of Postgres' binary COPY format; a row is its columns in their binary forms. */
export function copyRows(to: Writable): {
  write(rows: readonly (readonly Uint8Array[])[]): Promise<void>
  end(): void
} {
  to.write(Buffer.concat([SIGNATURE, Buffer.alloc(8)]))
  return {
    async write(rows) {
      if (!to.write(encodeRows(rows))) await once(to, 'drain')
    },
    end() {
      to.end(Buffer.from([0xff, 0xff]))
    },
  }
}

function encodeRows(rows: readonly (readonly Uint8Array[])[]): Buffer {
  let size = 0
  for (const row of rows) {
    size += 2
    for (const column of row) size += 4 + column.length
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const row of rows) {
    at = bytes.writeInt16BE(row.length, at)
    for (const column of row) {
      at = bytes.writeInt32BE(column.length, at)
      bytes.set(column, at)
      at += column.length
    }
  }
  return bytes
}
