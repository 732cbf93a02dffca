import { describe, expect, it } from 'vitest'
import { PendingBook } from './pending-book.ts'

const id = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const wire = (n: number): Uint8Array => Uint8Array.of(n)

describe('what waits for a leader', () => {
  it('goes to the next one, once, and to the one after that', () => {
    const book = new PendingBook()
    book.add(id(1), wire(1), 7n)
    book.add(id(2), wire(2), 8n)
    book.add(id(3), wire(3), undefined)
    expect(book.handOver(8n)).toEqual([wire(1), wire(3)])
    expect(book.handOver(8n)).toEqual([])
    expect(book.handOver(9n)).toEqual([wire(1), wire(2), wire(3)])
  })

  it('can be asked for by its id, also while it is on its way, and keeps no more than it may', () => {
    const book = new PendingBook()
    book.add(id(1), wire(1), 7n)
    book.handOver(8n)
    expect(book.find(id(1))).toEqual(wire(1))
    expect(book.find(id(2))).toBeUndefined()
    const large = new Uint8Array(1024 * 1024)
    for (let n = 0; n < 40; n++) book.add(id(n), large, 8n)
    expect(book.handOver(9n).length).toBe(16)
  })
})
