import { expect, it } from 'vitest'
import { encodeHeader, firstHeader } from '../../../protocol/index.ts'
import { SupplyCheck } from '../gateway/supply-check.ts'
import { indexOut } from '../shard/out-index.ts'
import { type BacklogError, BlockIntake, type DurableBlock, type Source } from './block-intake.ts'
import { RecentRoots } from './feeder.ts'

const none = { holdings: 0n, emitted: 0n, consumed: 0n }
const outgoing = new Uint8Array(100)
const header = encodeHeader(firstHeader('0:', { rootCursor: 0, basePrice: 1n, time: 7 }))

function intakeOf(limits: { readonly blocks: number; readonly bytes: number }) {
  const proposed: number[] = []
  const overruns: BacklogError[] = []
  const tip = { outgoing: new Uint8Array(0), totals: none }
  const intake = new BlockIntake({
    roots: {} as never,
    orderer: { tip, propose: ([{ height }]: [{ height: number }]) => proposed.push(height) } as never,
    recent: new RecentRoots(),
    supply: new SupplyCheck(0n),
    onOverrun: (error) => overruns.push(error),
    limits,
  })
  const source: Source = { host: { id: '0:' }, height: -1 }
  const take = (height: number, sent = outgoing): void => {
    const block: DurableBlock = {
      height,
      hash: new Uint8Array(32),
      header,
      outgoing: sent,
      index: indexOut([]),
      totals: none,
    }
    intake.take(source, block)
  }
  const list = (height: number, entries: readonly number[]): void =>
    intake.release({
      ...tip,
      header: { height, random: new Uint8Array(32) } as never,
      hash: new Uint8Array(32),
      entries: entries.map((at) => ({ shard: '0:', height: at, hash: new Uint8Array(32) })),
      exports: [],
    })
  return { intake, source, take, list, proposed, overruns }
}

it.each([
  { blocks: 10, bytes: 1e9 },
  { blocks: 1e9, bytes: 1_000 },
])('holds so many blocks that no root block lists, and says once that there are too many: %j', (limits) => {
  const { intake, source, take, list, proposed, overruns } = intakeOf(limits)
  take(0)
  expect(intake.isBehind).toBe(false)
  take(1)
  expect(intake.isBehind).toBe(true)
  list(1, [0, 1])
  expect(intake.isBehind).toBe(false)
  for (let height = 2; height < 50; height++) take(height)
  expect(proposed).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  expect(overruns).toMatchObject([{ code: 'ROOT_BEHIND', message: expect.stringContaining('10 blocks') }])
  expect(source.height).toBe(49)
  // What it took in is still listed with its messages, and nothing that came later slips in between.
  list(2, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  take(50)
  expect(proposed.at(-1)).toBe(11)
})

it('takes nothing more once the root chain has halted', () => {
  const { intake, source, take, proposed, overruns } = intakeOf({ blocks: 2, bytes: 1e9 })
  take(0)
  intake.halt()
  for (let height = 1; height < 10; height++) take(height)
  expect({ proposed, overruns, height: source.height }).toEqual({ proposed: [0], overruns: [], height: 9 })
})
