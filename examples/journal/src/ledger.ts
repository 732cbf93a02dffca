/** What is agreed on: shard workers import this file, so it imports no server. */
import { topic } from 'deaios'
import { call, cellType, ledgerModule } from 'deaios/plugins/execution/ledger'
import { z } from 'zod'

/** Emitted with the block that an entry is in. */
export const Written = topic(
  'journal.written',
  z.object({ author: z.instanceof(Uint8Array), number: z.int(), text: z.string() }),
)

/** Each account has a journal cell of its own. It counts; the texts are in the events. */
const Journal = cellType('journal.cell', z.strictObject({ entries: z.int() }))

/** Adds an entry to the sender's journal. */
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
