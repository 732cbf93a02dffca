import { describe, expect, it } from 'vitest'
import { shardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { cellPath, compare } from '../../../protocol/index.ts'
import { testBench } from '../../testing.ts'
import { stageCell, stageId } from './cells.ts'
import { filledLedger } from './filled-ledger.ts'
import { NullStore } from './null-store.ts'
import { Stage } from './stage.ts'
import { arrivals, type StageAccounts, StageTraffic } from './traffic.ts'

describe('a shard without a node around it', () => {
  it('runs transfers that leave and arrive, and keeps nothing', async () => {
    const space = shardSpace('0:1')
    const ids = Array.from({ length: 400 }, (_, index) => stageId(index))
    const own = ids.filter((id) => space.contains(cellPath(id)))
    const foreign = ids.filter((id) => !space.contains(cellPath(id)))
    const cells = own.map(stageCell).sort((a, b) => compare(a.path, b.path))
    const accounts: StageAccounts = {
      own: (index) => own[index]!,
      ownCount: own.length,
      foreign: (index) => foreign[index]!,
      foreignCount: foreign.length,
    }
    const traffic = new StageTraffic(accounts)
    const batches = Array.from({ length: 8 }, () => traffic.batch())
    const stage = new Stage(space, new NullStore(space, cells))
    await stage.open()
    const ms = await stage.run({ batches, arrivals: [arrivals(accounts, 0, 128)], batchesPerArrival: 4 })
    expect(ms).toBeGreaterThan(0)
    // The same again is refused.
    await expect(stage.run({ batches, arrivals: [], batchesPerArrival: 1 })).rejects.toThrow('refused a transfer')
    await stage.stop()
  })

  it('opens a ledger that was filled in bulk, and folds what it changes', async () => {
    await using scope = new AsyncDisposableStack()
    const count = 3000
    const store = await filledLedger(testBench(scope), shardSpace('0:'), count)
    const stage = new Stage(shardSpace('0:'), store)
    await stage.open()
    const traffic = new StageTraffic({ own: stageId, ownCount: count, foreign: stageId, foreignCount: 0 })
    await stage.run({ batches: [traffic.batch(), traffic.batch()], arrivals: [], batchesPerArrival: 1 })
    await stage.stop()
    expect(await store.foldedHeight()).toBeGreaterThan(0)
    let cells = 0
    for await (const part of store.cells()) cells += part.length
    // And the treasury, which took the fees.
    expect(cells).toBe(count + 1)
  })
})
