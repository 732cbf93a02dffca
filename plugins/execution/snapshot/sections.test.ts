import { describe, expect, it } from 'vitest'
import { encode } from '../../../protocol/index.ts'
import { splitOut } from '../shard/out-index.ts'
import { decodeSection, encodeSection, MAX_ITEMS } from './sections.ts'

const damaged = expect.objectContaining({ code: 'DAMAGED' })

describe('a section of a snapshot', () => {
  it('is what was written', () => {
    const items: [Uint8Array, Uint8Array] = [new Uint8Array(3), new Uint8Array(0)]
    expect(decodeSection(encodeSection('sent', items))).toEqual({ name: 'sent', items })
  })

  it('is refused in any other form', () => {
    for (const other of [5, [], ['sent'], ['sent', 1, 2], ['unknown'], ['toString'], [7], { sent: 1 }])
      expect(() => decodeSection(encode(other))).toThrow(damaged)
  })

  // A byte for each: read, they would take a hundred times the memory that the file has.
  it('is refused with more items than one may have, before they are read', () => {
    const name = encode('root-cells')
    const bytes = new Uint8Array(1 + name.length + 5 + MAX_ITEMS)
    bytes.set([0x82, ...name, 0x9a])
    new DataView(bytes.buffer).setUint32(2 + name.length, MAX_ITEMS)
    expect(() => decodeSection(bytes)).toThrow(damaged)
  })

  it('holds no out items, and no receipts, that are shorter than a hash', () => {
    expect(() => splitOut(new Uint8Array(100))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })
})
