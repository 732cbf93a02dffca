import type { Note } from './note.ts'
import type { PaperSet } from './paper-modules.ts'

/** What the messages of a block may weigh together: three quarters of it. */
const ROOM = 300_000

/**
 * Which of the messages that wait run now. They are taken in their order, up to the first that does not fit; the first
 * of all always does.
 */
export function planOnPaper(
  set: PaperSet,
  notes: readonly Note[],
): { readonly now: readonly Note[]; readonly later: readonly Note[]; readonly weight: number } {
  let weight = 0
  for (const [i, { call, args }] of notes.entries()) {
    const next = set.weigh(call, args)
    if (weight > 0 && weight + next > ROOM) return { now: notes.slice(0, i), later: notes.slice(i), weight }
    weight += next
  }
  return { now: notes, later: [], weight }
}
