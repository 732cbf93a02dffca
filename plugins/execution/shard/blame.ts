import { toHex } from '../../../protocol/index.ts'
import { Barred } from './barred.ts'
import { describe, type Running } from './running.ts'

/** What becomes of a shard that its modules' code has ended. */
export type Verdict =
  /** The transaction is not taken again; the shard goes on at once. `message` says why. */
  | { readonly kind: 'evict'; readonly id: Uint8Array; readonly message: string }
  /** A message did it, for the first time: the machine may have been at fault. */
  | { readonly kind: 'again' }
  /** The same message did it again: it cannot be left out, so the shard stays down. */
  | { readonly kind: 'halt'; readonly reason: string }

/** Decides what follows from a thread's end, over its starts. */
export class Blame {
  readonly barred = new Barred()
  #last = ''

  /**
   * @param running what ran when the thread ended
   * @param why what it did, after its name: `ran for more than 5 s`
   */
  judge(running: Running, why: string): Verdict {
    const message = `${describe(running)} ${why}`
    if (running.kind !== 'message') {
      this.barred.add(running.id)
      return { kind: 'evict', id: running.id, message }
    }
    const { id, from, to, call } = running
    const key = [toHex(id), toHex(from), toHex(to), call].join()
    const isSame = key === this.#last
    this.#last = key
    return isSame ? { kind: 'halt', reason: message } : { kind: 'again' }
  }
}
