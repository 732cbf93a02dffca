import { describe, expect, it } from 'vitest'
import { PeerError, type Peers } from '../../../server/plugin.ts'
import type { TransactionState } from '../api.ts'
import { followStates } from './follow-watch.ts'
import { PendingBook } from './pending-book.ts'

const id = new Uint8Array(32).fill(1)
const wire = Uint8Array.of(1, 2, 3)
const pending: TransactionState = { id, status: 'PENDING', at: null, pending: wire }
const executed: TransactionState = { id, status: 'EXECUTED', at: { shard: '0:0', height: 7 }, pending: null }

/** Leaders, one after the other, each with what a watcher hears from it; the last one stays. */
function leaders(...terms: readonly (readonly (TransactionState | 'gone')[])[]) {
  const submitted: Uint8Array[] = []
  let asked = 0
  const faults: PeerError[] = []
  const ask = async (_call: unknown, input: unknown): Promise<unknown> => {
    if (typeof input === 'object' && input !== null && 'wires' in input && Array.isArray(input.wires))
      submitted.push(...input.wires)
    const fault = faults.shift()
    if (fault !== undefined) throw fault
    return []
  }
  async function* follow(): AsyncGenerator<unknown> {
    for (const state of terms[Math.min(asked++, terms.length - 1)] ?? []) {
      if (state === 'gone') throw new PeerError('LEADER_LOST', 'it went')
      yield state
    }
  }
  const peers: Peers = {
    serve: () => undefined,
    serveStream: () => undefined,
    call: ask as never,
    stream: follow as never,
  }
  return { peers, submitted, faults }
}

async function told(peers: Peers, book: PendingBook): Promise<readonly string[]> {
  const statuses: string[] = []
  for await (const { status } of followStates(peers, book, id, new AbortController().signal)) statuses.push(status)
  return statuses
}

describe('who watches a transaction while the leader changes', () => {
  it('hears the rest from the next one, which gets what waited', async () => {
    const { peers, submitted } = leaders([pending, 'gone'], [pending, executed])
    expect(await told(peers, new PendingBook())).toEqual(['PENDING', 'EXECUTED'])
    expect(submitted).toEqual([wire])
  })

  it.each([
    ['what it knew as waiting', [pending, 'gone'] as const],
    ['what this node knew as waiting', [] as const],
  ])('hears the rest also if the next one goes, too, while it is given %s', async (_what, first) => {
    const book = new PendingBook()
    book.add(id, wire, 7n)
    const { peers, submitted, faults } = leaders(first, [executed])
    faults.push(new PeerError('LEADER_LOST', 'it went'))
    expect((await told(peers, book)).at(-1)).toBe('EXECUTED')
    expect(new Set(submitted)).toEqual(new Set([wire]))
  })

  it('is not told that nobody knows it while it is on its way from one to the next', async () => {
    const book = new PendingBook()
    book.add(id, wire, 7n)
    book.handOver(8n)
    const { peers, submitted } = leaders([], [executed])
    expect(await told(peers, book)).toEqual(['EXECUTED'])
    expect(submitted).toEqual([wire])
  })

  it('is told so once what was sent again is not known either', async () => {
    const book = new PendingBook()
    book.add(id, wire, 7n)
    const { peers, submitted } = leaders([pending, 'gone'], [])
    expect(await told(peers, book)).toEqual(['PENDING', 'EVICTED'])
    expect(submitted).toEqual([wire, wire])
    expect(await told(leaders([]).peers, new PendingBook())).toEqual([])
  })
})
