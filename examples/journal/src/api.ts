/** What other plugins import: tokens and shapes. */
import { topic, typeRef } from 'deaios'
import { z } from 'zod'

export { Written } from './ledger.ts'

/** Published once an hour. */
export const Counted = topic('journal.counted', z.object({ entries: z.int() }), { retention: { days: 30 } })

/** An entry as the table has it. */
export interface JournalEntry {
  readonly id: bigint
  /** The address of the account that wrote it, 32 bytes. */
  readonly author: Uint8Array
  /** 1 for its author's first. */
  readonly number: number
  readonly text: string
  readonly writtenAt: Date
}

/** The parent of `JournalEntry`'s fields; other plugins may add some. */
export const JournalEntryType = typeRef<JournalEntry>('JournalEntry')
