import { z } from 'zod'
import { type CallContext, call, cellType, ledgerModule } from '../../../plugins/execution/api.ts'

/** What a diary knows of the numbers that it was told: how many, the last, and how often one was not the next. */
const diaryValue = z.strictObject({ count: z.int(), last: z.int(), disorder: z.int() })
export type DiaryValue = z.output<typeof diaryValue>
export const Diary = cellType('diary.cell', diaryValue)

function enter(ctx: CallContext, n: number): void {
  const { count, last, disorder } = ctx.read(Diary) ?? { count: 0, last: -1, disorder: 0 }
  ctx.write(Diary, { count: count + 1, last: n, disorder: disorder + (n === last + 1 ? 0 : 1) })
}

/** Enters a number. */
const note = call({ args: z.strictObject({ n: z.int() }), weight: () => 3n, apply: (ctx, { n }) => enter(ctx, n) })

/** Enters a number so laboriously that few fit into a block: the others have to wait. */
const engrave = call({
  args: z.strictObject({ n: z.int(), weight: z.int().min(1) }),
  weight: ({ weight }) => BigInt(weight),
  apply: (ctx, { n }) => enter(ctx, n),
})

/** Hands a number on to another cell, with the value that came along. */
const dictate = call({
  args: z.strictObject({ to: z.instanceof(Uint8Array), n: z.int() }),
  weight: () => 3n,
  sends: { 'diary.note': 1 },
  apply: (ctx, { to, n }) => ctx.send({ to, call: 'diary.note', args: { n }, value: ctx.value }),
})

/** A ledger module whose cells notice when messages come out of order, twice, or not at all. */
export const diary = ledgerModule('diary', {
  url: import.meta.url,
  version: 1,
  home: 'shard',
  calls: { note, engrave, dictate },
})
