import type { RootMoment } from '../root/root-moment.ts'
import { ShardHostError } from '../shard/shard-host.ts'

/** Shards that start at a time; there are no more. */
const MAX_ASKED = 256

/** What a shard host asks its leader about the root chain, which is stored there. */
export class RootQuestions {
  readonly #send: (id: number, height: number) => void
  readonly #waiting = new Map<number, (root: RootMoment | null) => void>()
  #last = 0
  #isOver = false

  constructor(send: (id: number, height: number) => void) {
    this.#send = send
  }

  /** @throws ShardHostError if the leader cannot tell now, or is gone */
  async ask(height: number): Promise<RootMoment> {
    if (this.#isOver || this.#waiting.size >= MAX_ASKED) throw unknown(height)
    this.#last++
    const id = this.#last
    const root = await new Promise<RootMoment | null>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#send(id, height)
    })
    if (root === null) throw unknown(height)
    return root
  }

  answer(id: number, root: RootMoment | null): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.(root)
  }

  /** The leader is gone. */
  end(): void {
    this.#isOver = true
    for (const waiting of this.#waiting.values()) waiting(null)
    this.#waiting.clear()
  }
}

const unknown = (height: number): ShardHostError =>
  new ShardHostError('ROOT_UNKNOWN', `the leader did not tell of root block ${height}; asking again`)
