import { sha256 } from '#sha256'
import { taggedHash } from './domain.ts'
import { CodecError } from './errors.ts'
import { Reader } from './reader.ts'
import { type TrieEntry, trieRoot } from './trie.ts'
import { type CborValue, VALUE_DEPTH } from './value.ts'
import { Writer } from './writer.ts'

/** The longest key of an export, in bytes of UTF-8. */
export const MAX_EXPORT_KEY = 256

/** What the root chain exports under a key. */
export interface Export {
  readonly key: string
  readonly value: CborValue
}

const encoder = new TextEncoder()
const writer = new Writer()

/** Where an export lies in the trie of `exportsRoot`, 32 bytes: SHA-256("deaios/export/1\0" || key in UTF-8). */
export function exportPath(key: string): Uint8Array {
  return taggedHash('export', encoder.encode(key))
}

/**
 * The record of an export, CBOR[key, value].
 * @param value CBOR of the value, nested at most VALUE_DEPTH deep
 */
export function encodeExport(key: string, value: Uint8Array): Uint8Array {
  writer.reset()
  writer.arrayHeader(2)
  writer.text(key)
  writer.raw(value)
  return writer.finish()
}

/** The export of a record; byte strings are views of it. @throws CodecError MALFORMED or NOT_CANONICAL. */
export function decodeExport(record: Uint8Array): Export {
  const reader = new Reader(record)
  if (reader.arrayHeader() !== 2) throw new CodecError('MALFORMED', 'an export is a key and a value')
  const found = { key: reader.text(MAX_EXPORT_KEY), value: reader.value(VALUE_DEPTH) }
  reader.done()
  return found
}

/**
 * An export as a leaf of the trie: its path, and SHA-256 of its record.
 * @param value CBOR of the value
 */
export function exportEntry(key: string, value: Uint8Array): TrieEntry {
  return { key: exportPath(key), valueHash: sha256(encodeExport(key, value)) }
}

/** `exportsRoot` of a root header: trie root, from depth 0, over all exports by key; the values are CBOR. 32 bytes. */
export function exportsRoot(exports: Iterable<readonly [key: string, value: Uint8Array]>): Uint8Array {
  return trieRoot(
    Array.from(exports, ([key, value]) => exportEntry(key, value)),
    0,
  )
}
