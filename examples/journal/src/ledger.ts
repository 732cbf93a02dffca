/** What is agreed on: shard workers import this file, so it imports no server. */
import { bytes, topic } from 'deaios'
import { call, cellType, ledgerModule } from 'deaios/plugins/execution/ledger'
import { z } from 'zod'

/** Emitted with the block that an entry is in. */
export const Written = topic('journal.written', z.object({ author: bytes(32), number: z.int(), text: z.string() }))

/** Each account has a cell of its own here. It counts; the texts are in the events. */
const Journal = cellType('journal.cell', z.strictObject({ entries: z.int() }))

/** Adds an entry of the sender's. */
const write = call({
  args: z.strictObject({ text: z.string().min(1).max(280) }),
  weight: ({ text }) => 5n + BigInt(text.length) / 16n,
  apply(ctx, { text }) {
    const number = (ctx.read(Journal)?.entries ?? 0) + 1
    ctx.write(Journal, { entries: number })
    ctx.emit(Written, { author: ctx.sender, number, text })
  },
})

export const journal = ledgerModule('journal', { url: import.meta.url, version: 1, home: 'shard', calls: { write } })
