import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { silentLog } from '../../../server/log.ts'
import { pause } from '../../../server/plugin.ts'
import { until } from '../../../server/testing/program.ts'
import type { SubmitOutcome } from '../api.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { KeptTransactions } from './kept.ts'
import { Submissions } from './submissions.ts'

const MANY = 1000
const wires = Array.from({ length: MANY }, (_, i) => Uint8Array.of(i & 255))

/** A node whose only shard takes transactions, and never puts one into a block. */
function stuck(): Submissions {
  const host = { id: '0:', submit: () => true }
  const verify = async (lengths: Uint32Array) => {
    const count = lengths.length
    const results = new Uint8Array(count)
    return { results, ids: new Uint8Array(32 * count), realms: results, pathBits: results, messages: [] }
  }
  return new Submissions({
    pool: { verify, hasIdle: true } as never,
    directory: { at: () => ({ space: shardSpace('0:'), host }) } as never,
    states: { kept: new KeptTransactions(() => undefined) } as never,
    watch: {} as never,
    log: silentLog,
  })
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
  const isTaken = async (): Promise<boolean> => {
    const attempt = submissions.submit(wires.slice(0, 1), 'INCLUDED', leaving.signal)
    const refused = attempt.then(
      () => false,
      () => true,
    )
    return !(await Promise.race([refused, pause(100).then(() => false)]))
  }
  await until(isTaken, 'there is a place for others')
  // Who was there first is told how it stands: that promises nothing.
  const [first] = await held[0]!
  expect(first).toMatchObject({ kind: 'accepted', status: 'PENDING' })
  const youngest = held.at(-1)?.then(() => 'answered')
  expect(await Promise.race([youngest, pause(0).then(() => 'waits')])).toBe('waits')
  leaving.abort()
  await Promise.all(held)
})
