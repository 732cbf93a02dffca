import { describe, expect, it } from 'vitest'
import type { SubmitOutcome } from '../api.ts'
import type { SubmissionError } from './errors.ts'
import { KeptTransactions } from './kept.ts'
import type { Ticket } from './ticket.ts'

const id = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const nowhere = () => undefined
const place = { shard: '0:0', realm: 0, pathBits: 7 }

function keep() {
  const gone: number[] = []
  const kept = new KeptTransactions((lost) => gone.push(lost[0] ?? 0))
  const told: (SubmitOutcome | SubmissionError)[] = []
  const ticket = (n: number, waits = true): Ticket => ({
    wire: Uint8Array.of(n),
    waits,
    id: id(n),
    duplicate: false,
    pathBits: place.pathBits,
    isAdmitted: false,
    settle: (outcome) => {
      told.push(outcome)
    },
  })
  const admit = (n: number, waits = true): void => {
    const one = ticket(n, waits)
    kept.sent(one, id(n), place)
    kept.pending(id(n), one)
  }
  return { kept, gone, told, ticket, admit }
}

describe('what waits in mempools', () => {
  it('is known while it waits, and forgotten with its block', () => {
    const { kept, ticket } = keep()
    const one = ticket(1)
    kept.sent(one, id(1), place)
    expect(kept.find(id(1))).toBeUndefined()
    kept.pending(id(1), one)
    expect(kept.find(id(1))).toEqual(Uint8Array.of(1))
    kept.included(id(1))
    expect(kept.find(id(1))).toBeUndefined()
    expect(kept.size).toBe(0)
  })

  it('is to be sent again, in order, when its shard is back; those who wait with it', () => {
    const { kept, admit, gone } = keep()
    admit(1)
    admit(2, false)
    kept.down('0:1', true, nowhere)
    expect(kept.homeless()).toEqual([])
    kept.down('0:0', true, nowhere)
    expect(kept.homeless().map((one) => [one.id[0], one.tickets.length])).toEqual([
      [1, 1],
      [2, 0],
    ])
    expect(kept.find(id(2))).toEqual(Uint8Array.of(2))
    expect(gone).toEqual([])
  })

  it('is told as gone if it is not taken again, or its shard does not come back', () => {
    const { kept, admit, gone } = keep()
    admit(1)
    admit(2)
    kept.down('0:0', true, nowhere)
    for (const one of kept.homeless()) one.shard = '0:0'
    kept.refused(id(1))
    expect(gone).toEqual([1])
    kept.down('0:0', false, nowhere)
    expect(gone).toEqual([1, 2])
    expect(kept.size).toBe(0)
  })

  it('does not wait for ever if its shard stays down after several attempts', () => {
    const { kept, admit, ticket, gone, told } = keep()
    admit(1)
    kept.sent(ticket(2), id(2), place)
    const home = () => '0:0'
    kept.down('0:0', true, home)
    kept.down('0:1', false, home)
    kept.down('0:0', true, home)
    expect([kept.size, gone]).toEqual([2, []])
    kept.down('0:0', false, home)
    expect([kept.size, gone]).toEqual([0, [1, 2]])
    expect(told).toMatchObject([{ code: 'SHARD_UNAVAILABLE' }, { code: 'SHARD_UNAVAILABLE' }])
  })

  it('waits for its shard’s return when it is submitted once more meanwhile', () => {
    const { kept, admit, ticket, gone } = keep()
    admit(1)
    kept.down('0:0', true, nowhere)
    const again = ticket(1)
    kept.sent(again, id(1), place)
    kept.unsent(again)
    kept.refused(id(1))
    expect(kept.homeless()).toHaveLength(1)
    const other = ticket(2)
    kept.sent(other, id(2), place)
    kept.unsent(other)
    expect(kept.size).toBe(1)
    expect(gone).toEqual([])
  })

  it('stays when another submission of the same bytes is refused', () => {
    const { kept, admit, gone } = keep()
    admit(1)
    kept.refused(id(1))
    expect(kept.size).toBe(1)
    expect(gone).toEqual([])
  })

  it('tells those who wait when it is dropped', () => {
    const { kept, admit, told } = keep()
    admit(1)
    kept.dropped({ ids: id(1), status: 'EVICTED' })
    expect(told).toMatchObject([{ kind: 'accepted', status: 'EVICTED' }])
    expect(kept.size).toBe(0)
  })

  it('follows its cell when its shard is split', () => {
    const { kept, admit } = keep()
    admit(1)
    kept.moved('0:0', ({ pathBits }) => (pathBits === 7 ? '0:00' : '0:01'))
    kept.down('0:0', false, nowhere)
    expect(kept.size).toBe(1)
    kept.down('0:00', true, nowhere)
    expect(kept.homeless()).toHaveLength(1)
  })
})
