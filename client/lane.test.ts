import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lane, MAX_ON_THE_WAY } from './lane.ts'

describe('the nonces of a lane', () => {
  test('begin where the account is, asked for once', async () => {
    let asked = 0
    const lane = new Lane(async () => {
      asked++
      return 7
    })
    expect(await Promise.all([lane.take(), lane.take(), lane.take()])).toEqual([7, 8, 9])
    expect(asked).toBe(1)
  })

  test('that come back are used first, lowest first', async () => {
    const lane = new Lane(async () => 0)
    for (let i = 0; i < 6; i++) await lane.take()
    lane.giveBack(3)
    lane.giveBack(1)
    expect(await lane.take()).toBe(1)
    expect(await lane.take()).toBe(3)
    expect(await lane.take()).toBe(6)
  })

  test('that somebody else used are passed over', async () => {
    let known = 0
    const lane = new Lane(async () => known)
    await lane.take()
    lane.giveBack(await lane.take())
    known = 5
    await lane.passOver()
    expect(await lane.take()).toBe(5)
  })

  test('are no more than a node lets wait; the next comes when one is done', async () => {
    const lane = new Lane(async () => 0)
    for (let i = 0; i < MAX_ON_THE_WAY; i++) await lane.take()
    const stop = new AbortController()
    const waiting = [lane.take(stop.signal), lane.take()]
    const left = expect(waiting[0]).rejects.toThrow('left')
    stop.abort(new Error('left'))
    await left
    lane.done()
    expect(await waiting[1]).toBe(MAX_ON_THE_WAY)
  })

  test('are asked for again when asking failed', async () => {
    const answers = [Promise.reject(new Error('away')), Promise.resolve(2)]
    const lane = new Lane(() => answers.shift() ?? Promise.resolve(0))
    await expect(lane.take()).rejects.toThrow('away')
    expect(await lane.take()).toBe(2)
  })

  test('whatever comes back when: none is out twice, and none is left out', async () => {
    const steps = fc.array(fc.constantFrom('take', 'done', 'give back'), { maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(steps, fc.infiniteStream(fc.nat()), async (what, choices) => {
        const lane = new Lane(async () => 0)
        const out: number[] = []
        const used = new Set<number>()
        for (const step of what) {
          if (step === 'take' && out.length < MAX_ON_THE_WAY) {
            const nonce = await lane.take()
            expect(out).not.toContain(nonce)
            expect(used).not.toContain(nonce)
            out.push(nonce)
          } else if (out.length > 0 && step !== 'take') {
            const [nonce = 0] = out.splice(choices.next().value % out.length, 1)
            if (step === 'done') {
              used.add(nonce)
              lane.done()
            } else lane.giveBack(nonce)
          }
        }
        // What is next fills the first gap.
        while (out.length >= MAX_ON_THE_WAY) {
          used.add(out.pop() ?? 0)
          lane.done()
        }
        let gap = 0
        while (used.has(gap) || out.includes(gap)) gap++
        expect(await lane.take()).toBe(gap)
      }),
    )
  })
})
