import { expect, it } from 'vitest'
import { type CborValue, encode } from '../../../protocol/index.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { CountedCells } from './counted-cells.ts'

const params = { basePrice: 1n, depositPerByte: 1n, treasury: { realm: 0, id: new Uint8Array(32) } }
const id = new Uint8Array(32).fill(7)
const add = (value: CborValue) =>
  new CountedCells(shardSpace('0:'), params).add([encode([id, 'account', 5n, value])]).length

it('refuses accounts of a form that no ledger writes', () => {
  expect(add(null)).toBe(1)
  expect(add([[[0, 1]], []])).toBe(1)
  for (const value of [5, 'text', [], [1, 2], [[], 3], [[], [4]], [[], [[5]]]])
    expect(() => add(value), JSON.stringify(value)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
})
