import { decodeRootHeader } from '../../../protocol/index.ts'
import type { SqlOrTransaction } from '../../../server/plugin.ts'
import type { ExportChange } from './exports.ts'
import { storedExports } from './stored-exports.ts'

/** What a shard that begins, or goes on after a restart, must know of the root block that its last block had taken in. */
export interface RootMoment {
  readonly height: number
  /** 32 bytes. */
  readonly random: Uint8Array
  /** Milliseconds since 1970. */
  readonly time: number
  /** All that the root chain exports as of that height. */
  readonly exports: readonly ExportChange[]
}

/** Reads it where the root chain is stored. @throws TypeError if there is no such root block */
export async function storedRootMoment(sql: SqlOrTransaction, height: number): Promise<RootMoment> {
  const [row] = await sql<{ header: Uint8Array }[]>`SELECT header FROM root_block WHERE height = ${height}`
  if (row === undefined) throw new TypeError(`root block ${height}, which a block names, is not stored`)
  const exports = await storedExports(sql, height)
  const { random, time } = decodeRootHeader(row.header)
  return { height, random: random.slice(), time, exports }
}
