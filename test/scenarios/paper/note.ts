import { type CborMap, type CborValue, cellPath, prefixOf, toHex } from '../../../protocol/index.ts'

/** Where a cell is. */
export interface Place {
  readonly realm: number
  readonly id: Uint8Array
}

/** A message, as one would write it on a slip of paper. */
export interface Note {
  readonly kind: 'call' | 'bounce'
  /** The transaction that it comes from; empty if none. */
  readonly origin: Uint8Array
  readonly action: number
  readonly from: Place
  readonly module: string
  readonly to: Place
  readonly call: string
  readonly args: CborMap
  readonly value: bigint
  readonly payer: Place
  /** Why it was refused, if it is on its way back. */
  readonly code: string
}

/** Something that a call says to the world. */
export interface PaperEvent {
  readonly topic: string
  readonly payload: CborValue
  readonly origin: Uint8Array
  readonly action: number
}

export const keyOf = ({ realm, id }: Place): string => `${realm} ${toHex(id)}`

/** True if a cell is in a shard. */
export function isIn({ realm, id }: Place, shard: { readonly realm: number; readonly prefix: string }): boolean {
  return realm === shard.realm && prefixOf(cellPath(id), shard.prefix.length) === shard.prefix
}

/** An action of a transaction itself, not what came of one. */
export const isAction = ({ kind, module }: Note): boolean => kind === 'call' && module === 'account'
