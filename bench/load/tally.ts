import type { LoadResult } from './messages.ts'
import type { SubmissionOutcome } from './outcomes.ts'

const ACKNOWLEDGED = new Set(['INCLUDED', 'EXECUTED'])

/** Counts what the node answered, and keeps the ids of what it acknowledged. */
export class Tally {
  readonly #ids: Uint8Array[] = []
  #run = emptyRun()

  /** Begins a new run; ids stay. */
  begin(): void {
    this.#run = emptyRun()
  }

  /** An answered request. `latencyMs` is undefined where it does not count. */
  answered(outcomes: readonly SubmissionOutcome[], ids: Uint8Array, latencyMs: number | undefined): void {
    this.#run.requests++
    if (latencyMs !== undefined) this.#run.latencies.push(latencyMs)
    if (32 * outcomes.length !== ids.length) this.#other(`${outcomes.length} outcomes`)
    const said = outcomes.map((outcome) => ('refused' in outcome ? outcome.refused : outcome.status))
    const bad = said.filter((word) => !ACKNOWLEDGED.has(word))
    for (const word of bad) this.#other(word)
    this.#run.acknowledged += said.length - bad.length
    if (bad.length === 0) this.#ids.push(ids)
    else {
      for (const [i, word] of said.entries()) {
        if (ACKNOWLEDGED.has(word)) this.#ids.push(ids.slice(32 * i, 32 * i + 32))
      }
    }
  }

  /** An answer that holds no transactions. */
  counted(latencyMs: number): void {
    this.#run.requests++
    this.#run.latencies.push(latencyMs)
  }

  repeated(): void {
    this.#run.repeated++
  }

  result(ms: number, ranOut: boolean): LoadResult {
    return { ...this.#run, ms, ranOut }
  }

  get acknowledgedIds(): Uint8Array {
    return Buffer.concat(this.#ids)
  }

  #other(said: string): void {
    this.#run.others[said] = (this.#run.others[said] ?? 0) + 1
  }
}

interface Run {
  requests: number
  acknowledged: number
  readonly others: Record<string, number>
  readonly latencies: number[]
  repeated: number
}

const emptyRun = (): Run => ({ requests: 0, acknowledged: 0, others: {}, latencies: [], repeated: 0 })
