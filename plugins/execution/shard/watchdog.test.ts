import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { MARK_BYTES, RunMarks, readRunning } from './run-marks.ts'
import { BadRunError } from './running.ts'
import { type Finding, watch } from './watchdog.ts'

const id = new Uint8Array(32).fill(9)
const memory = () => new SharedArrayBuffer(MARK_BYTES)

describe('what a shard runs', () => {
  it('can be read by another thread, while it runs and afterwards', () => {
    const shared = memory()
    const marks = new RunMarks(shared)
    expect(readRunning(new Uint8Array(shared))).toBeUndefined()
    marks.transaction('transaction', id)
    marks.run(() => marks.call('account.credit'))
    expect(readRunning(new Uint8Array(shared))).toEqual({ kind: 'transaction', id, call: 'account.credit' })
    const message = { origin: new Uint8Array(0), from: id, fromRealm: 2 ** 32 - 1, to: id }
    marks.message(message)
    marks.run(() => marks.call('counter.add'))
    expect(readRunning(new Uint8Array(shared))).toEqual({
      kind: 'message',
      id: new Uint8Array(32),
      from: id,
      fromRealm: 2 ** 32 - 1,
      to: id,
      call: 'counter.add',
    })
  })

  it('is named by what it throws', () => {
    const marks = new RunMarks()
    marks.transaction('transaction', id)
    const run = () =>
      marks.run(() => {
        marks.call('a.b')
        throw new RangeError('too deep')
      })
    expect(run).toThrow(BadRunError)
    expect(run).toThrow(/^call "a\.b" of transaction 0x0909.* broke the block: too deep$/)
  })

  it('tells two thousand calls apart as far as it has room, and the others as unknown', () => {
    const marks = new RunMarks()
    marks.transaction('trial', id)
    for (let i = 0; i < 2000; i++) marks.call(`module.call${i}`)
    expect(marks.last?.call).toBe('')
    marks.call('module.call7')
    expect(marks.last?.call).toBe('module.call7')
  })
})

describe('a watchdog', () => {
  let stop = (): void => undefined
  afterEach(() => stop())

  /** Watches a thread that does not move; `cpuMs` says how much time it has taken at each question. */
  function watching(cpuMs: () => number, limitMs = 200) {
    const shared = memory()
    const marks = new RunMarks(shared)
    const findings: Finding[] = []
    let questions = 0
    stop = watch({
      memory: shared,
      limitMs,
      cpuMs: async () => {
        questions++
        return cpuMs()
      },
      onFinding: (finding) => findings.push(finding),
    })
    return { marks, findings, shared, questions: () => questions }
  }
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(5)
  }

  it('finds a run that does not come back, once', async () => {
    let used = 0
    const { marks, findings, shared } = watching(() => (used += 50))
    marks.transaction('transaction', id)
    marks.run(() => undefined)
    // The first number says whether a run is under way.
    new Int32Array(shared)[0] = 1
    const beating = setInterval(() => marks.beat(), 5)
    await until(() => findings.length > 0)
    clearInterval(beating)
    await sleep(100)
    expect(findings).toEqual(['run'])
  })

  it('finds a thread that takes no turns', async () => {
    let used = 0
    const { findings } = watching(() => (used += 200))
    await until(() => findings.length > 0)
    expect(findings).toEqual(['thread'])
  })

  it('leaves a thread alone that gets no time', async () => {
    const { findings, questions } = watching(() => 0, 100_000)
    await until(() => questions() > 2)
    expect(findings).toEqual([])
  })
})
