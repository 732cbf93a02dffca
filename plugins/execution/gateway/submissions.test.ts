import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_TRANSACTION_BYTES } from '../../../protocol/index.ts'
import { silentLog } from '../../../server/log.ts'
import type { SubmitOutcome } from '../api.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { KeptTransactions } from './kept.ts'
import { Submissions } from './submissions.ts'
import { accept } from './ticket.ts'

const MANY = 1000
const wires = Array.from({ length: MANY }, (_, i) => Uint8Array.of(i & 255))

/** A node whose only shard takes transactions, and never puts one into a block. */
function stuck(find: () => Promise<[]> = async () => []): Submissions {
  const host = { id: '0:', submit: () => true }
  const verify = async (lengths: Uint32Array) => {
    const count = lengths.length
    const results = new Uint8Array(count)
    return { results, ids: new Uint8Array(32 * count), realms: results, pathBits: results, messages: [] }
  }
  return new Submissions({
    pool: { verify, hasIdle: true } as never,
    directory: { at: () => ({ space: shardSpace('0:'), host }) } as never,
    states: { kept: new KeptTransactions(() => undefined), find } as never,
    watch: { listen: () => () => undefined } as never,
    log: silentLog,
  })
}

// Time stands still unless it is moved: nothing here depends on how fast the machine is.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const isSettled = (answer: Promise<unknown>): Promise<boolean> => {
  const settled = answer.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, setImmediate(false)])
}

it('lets nobody keep others out with transactions that are never included', async () => {
  const submissions = stuck()
  const leaving = new AbortController()
  const held: Promise<readonly SubmitOutcome[]>[] = []
  for (let i = 0; i < 50; i++) {
    held.push(submissions.submit(wires, 'INCLUDED', leaving.signal))
    // Their signatures are checked.
    await setImmediate()
  }
  await expect(submissions.submit(wires, 'INCLUDED')).rejects.toMatchObject({ code: 'OVERLOADED' })
  await vi.advanceTimersByTimeAsync(1_000)
  const late = submissions.submit(wires.slice(0, 1), 'INCLUDED', leaving.signal)
  expect(await isSettled(late)).toBe(false)
  // Who was there first is told how it stands: that promises nothing.
  const [first] = await held[0]!
  expect(first).toMatchObject({ kind: 'accepted', status: 'PENDING' })
  expect(await isSettled(held.at(-1)!)).toBe(false)
  leaving.abort()
  await Promise.all(held)
})

describe('the time of a submission', () => {
  /** Ten milliseconds before `ms`, and then ten after. */
  const around = async (ms: number, look: (isOver: boolean) => Promise<void>): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms - 10)
    await look(false)
    await vi.advanceTimersByTimeAsync(20)
    await look(true)
  }

  it('ends for each by itself, and it is answered as it stands', async () => {
    const submissions = stuck()
    const first = submissions.submit(wires.slice(0, 2), 'INCLUDED')
    await setImmediate()
    await vi.advanceTimersByTimeAsync(4_000)
    const second = submissions.submit(wires.slice(2, 3), 'EXECUTED')
    await setImmediate()
    await around(6_000, async (isOver) => expect(await isSettled(first)).toBe(isOver))
    expect(await first).toMatchObject([{ status: 'PENDING' }, { status: 'PENDING' }])
    expect(await isSettled(second)).toBe(false)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(await isSettled(second)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends at once for who leaves', async () => {
    const submissions = stuck()
    const leaving = new AbortController()
    const answer = submissions.submit(wires.slice(0, 1), 'INCLUDED', leaving.signal)
    await setImmediate()
    expect(await isSettled(answer)).toBe(false)
    leaving.abort()
    expect(await answer).toMatchObject([{ status: 'PENDING' }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends also while the database says nothing of what is on its way', async () => {
    const submissions = stuck(() => new Promise(() => undefined))
    const included = vi.spyOn(submissions.router, 'route').mockImplementation((tickets) => {
      for (const ticket of tickets) accept(ticket, 'INCLUDED', { shard: '0:', height: 1 })
    })
    const answer = submissions.submit(wires.slice(0, 1), 'EXECUTED')
    await setImmediate()
    expect(included).toHaveBeenCalledOnce()
    await around(10_000, async (isOver) => expect(await isSettled(answer)).toBe(isOver))
    expect(await answer).toMatchObject([{ status: 'INCLUDED' }])
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('keeps nothing of a submission that was answered but what still waits', async () => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new TypeError('memory cannot be collected')
  const submissions = stuck()
  const leave = async (): Promise<readonly WeakRef<object>[]> => {
    const leaving = new AbortController()
    const tooLarge = new Uint8Array(MAX_TRANSACTION_BYTES + 1)
    const answer = submissions.submit([Uint8Array.of(1), tooLarge], 'INCLUDED', leaving.signal)
    await setImmediate()
    leaving.abort()
    const outcomes = await answer
    expect(outcomes).toMatchObject([{ status: 'PENDING' }, { code: 'TOO_LARGE' }])
    return [tooLarge, outcomes, ...outcomes].map((held) => new WeakRef(held))
  }
  const held = await leave()
  await setImmediate()
  collect()
  expect(held.map((one) => one.deref())).toEqual([undefined, undefined, undefined, undefined])
})
