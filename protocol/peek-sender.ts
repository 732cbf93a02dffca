import { SIGNED_HEAD, UNSIGNED_HEAD } from './transaction.ts'

/** Whose transaction some bytes claim to be. */
export interface PeekedSender {
  readonly realm: number
  /** 32 bytes: a view of the wire. */
  readonly sender: Uint8Array
}

const REALM_AT = 36

/**
 * Realm and sender of a transaction, signed or not, at their fixed places, without reading the rest: to choose the
 * shard that will read it. Undefined if the bytes cannot be a transaction.
 */
export function peekSender(wire: Uint8Array): PeekedSender | undefined {
  if (wire[0] !== SIGNED_HEAD && wire[0] !== UNSIGNED_HEAD) return undefined
  if (wire[1] !== 1 || wire[2] !== 0x58 || wire[3] !== 32) return undefined
  const head = wire[REALM_AT]
  if (head === undefined || head > 0x1a) return undefined
  const width = head < 24 ? 0 : 1 << (head - 24)
  let realm = head
  if (width > 0) {
    realm = 0
    for (let i = 1; i <= width; i++) realm = realm * 256 + (wire[REALM_AT + i] ?? 0)
  }
  const at = REALM_AT + 1 + width
  if (wire[at] !== 0x58 || wire[at + 1] !== 32 || wire.length < at + 34) return undefined
  return { realm, sender: wire.subarray(at + 2, at + 34) }
}
