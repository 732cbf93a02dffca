/**
 * What canonical CBOR holds. Integers are numbers where those are exact, else bigint (-2^64 and up; no upper end);
 * both spell the same bytes. Maps are plain objects.
 */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [key: string]: CborValue }

/** A CBOR map. */
export type CborMap = { readonly [key: string]: CborValue }

/** How deep arrays and maps may be nested in any document. */
export const MAX_DEPTH = 32

/** How deep they may be nested in a call's arguments or a cell's value: these are embedded in other documents. */
export const VALUE_DEPTH = 24
