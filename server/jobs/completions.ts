import { insist } from './insist.ts'
import { type Claim, claimName } from './run-store.ts'

interface Waiting {
  readonly claim: Claim
  resolve(isOurs: boolean): void
  reject(error: unknown): void
}

/**
 * Writes that runs are done: those that end while one statement is on its way go together in the next, so that many
 * short runs cost few statements.
 */
export class Completions {
  /** Gives the names of the claims that held. */
  readonly #write: (claims: readonly Claim[]) => Promise<ReadonlySet<string>>
  #waiting: Waiting[] = []
  #isWriting = false

  constructor(write: (claims: readonly Claim[]) => Promise<ReadonlySet<string>>) {
    this.#write = write
  }

  /** False if the run was no longer this claim's. Tried again for a while if it fails. */
  add(claim: Claim): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    this.#waiting.push({ claim, resolve, reject })
    if (!this.#isWriting) void this.#run()
    return promise
  }

  async #run(): Promise<void> {
    this.#isWriting = true
    // What ends in the same moment goes along.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const held = await insist(() => this.#write(batch.map(({ claim }) => claim)))
        for (const { claim, resolve } of batch) resolve(held.has(claimName(claim)))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isWriting = false
  }
}
