import { fromHex, toHex } from '../../../protocol/index.ts'

const HASH = /^0x[0-9a-f]{64}$/
const PLACE = /^([0-9a-z]{1,10}:?[01]*)\/(.{1,80})$/

/** The bytes behind a node's key; null if the key is none of ours: node ids come from outside. */
export const hashOfKey = (key: string): Uint8Array | null => (HASH.test(key) ? fromHex(key) : null)

/** `<realm>/<0x-hex>` */
export const cellKey = (cell: { readonly realm: number; readonly id: Uint8Array }): string =>
  `${cell.realm}/${toHex(cell.id)}`

export function cellOfKey(key: string): { realm: number; id: Uint8Array } | null {
  const [realm = '', hex = '', ...rest] = key.split('/')
  const id = hashOfKey(hex)
  if (id === null || rest.length > 0 || !/^(0|[1-9][0-9]{0,9})$/.test(realm)) return null
  return { realm: Number(realm), id }
}

/** `<shard>/<height>` */
export function placeOfKey(key: string): { shard: string; height: number } | null {
  const [, shard, rest] = PLACE.exec(key) ?? []
  if (shard === undefined || rest === undefined || !/^(0|[1-9][0-9]{0,14})$/.test(rest)) return null
  return { shard, height: Number(rest) }
}
