import nacl from 'tweetnacl'
import { type CborValue, toHex } from '../../protocol/index.ts'

/** A value as JSON: bytes as 0x-hex, integers that a double cannot hold as decimal text. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** All vectors of one format, as its file holds them. */
export interface VectorFile {
  readonly format: string
  /** What another implementation has to know to use them. */
  readonly about: string
  readonly cases: readonly { readonly [key: string]: Json }[]
  /** Bytes that are to be refused, with the code. */
  readonly refused?: readonly { readonly name: string; readonly bytes: string; readonly code: string }[]
}

/** Bytes that look like no others: byte i is seed + 31 i modulo 256. */
export function filler(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => seed + i * 31)
}

/** The ed25519 key pair of the seed whose 32 bytes are all `seed`. */
export function keyPair(seed: number): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  return nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed))
}

/** A protocol value as JSON. */
export function json(value: CborValue): Json {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return toHex(value)
  if (isList(value)) return value.map(json)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item)]))
}

/** The code with which `read` refuses the bytes. */
export function refusal(name: string, bytes: Uint8Array, read: (bytes: Uint8Array) => unknown) {
  try {
    read(bytes)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { name, bytes: toHex(bytes), code: String(error.code) }
    throw error
  }
  throw new Error(`the vector ${name} is to be refused, and was read`)
}

function isList(value: object): value is readonly CborValue[] {
  return Array.isArray(value)
}
