import { describe, expect, it } from 'vitest'
import { connect } from '../../../server/plugin.ts'
import type { ShardDatabases } from './shard-databases.ts'
import { askOne, MAX_ASKED } from './spread.ts'

// Nothing is connected: only the questions are counted.
const pool = () => connect({ host: '127.0.0.1', port: 1, database: 'none', user: 'none', searchPath: ['execution'] })

describe("a shard host's database that does not answer", () => {
  it("is asked so much at a time, and again as soon as it answers; the node's own is not counted", async () => {
    const [main, other] = [pool(), pool()]
    const databases: ShardDatabases = {
      main,
      all: [main, other],
      of: async () => other,
      close: async () => undefined,
    }
    const answered = Promise.withResolvers<number>()
    const waiting = Array.from({ length: MAX_ASKED }, () => askOne(databases, other, () => answered.promise))
    const asked = askOne(databases, other, async () => 1)
    await expect(asked).rejects.toMatchObject({ name: 'HostDatabaseError' })
    expect(await askOne(databases, main, async () => 2)).toBe(2)
    answered.resolve(3)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([3]))
    expect(await askOne(databases, other, async () => 4)).toBe(4)
  })

  it('has room again after what failed', async () => {
    const [main, other] = [pool(), pool()]
    const databases: ShardDatabases = { main, all: [main, other], of: async () => other, close: async () => undefined }
    for (let i = 0; i <= MAX_ASKED; i++)
      await expect(askOne(databases, other, () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError)
  })
})
