import { Worker } from 'node:worker_threads'
import { type LoadSetup, SIGNING_THREADS } from './messages.ts'

/** A request that is ready to be sent. */
export interface SignedRequest {
  /** Whole HTTP request. */
  readonly bytes: Uint8Array
  /** Ids of its transactions, 32 bytes each. */
  readonly ids: Uint8Array
}

/** What a signing thread is asked for: requests `from` up to, not including, `to`. */
export interface SignTask {
  readonly from: number
  readonly to: number
}

/** The most bytes of signed requests that wait to be sent. */
const MAX_BYTES = 2 ** 31
/** Transactions of one task. */
const TASK = 2000

/** Requests in the order of their transactions, signed ahead in threads: none of this happens while load is made. */
export class SignedRequests {
  readonly #setup: LoadSetup
  readonly #workers: Worker[]
  #ready: SignedRequest[] = []
  #next = 0
  /** Requests signed so far, sent ones included. */
  #signed = 0
  #bytes = 0

  constructor(setup: LoadSetup) {
    this.#setup = setup
    this.#workers = Array.from(
      { length: SIGNING_THREADS },
      () => new Worker(new URL('./sign-worker.ts', import.meta.url), { workerData: setup }),
    )
  }

  /** Transactions that are ready. */
  get ready(): number {
    return (this.#ready.length - this.#next) * this.#setup.form.perRequest
  }

  take(): SignedRequest | undefined {
    const request = this.#ready[this.#next]
    if (request === undefined) return undefined
    this.#next++
    this.#bytes -= request.bytes.length
    return request
  }

  /** Signs until so many transactions are ready, or memory for them is used up. */
  async sign(transactions: number): Promise<void> {
    this.#ready = this.#ready.slice(this.#next)
    this.#next = 0
    const { perRequest } = this.#setup.form
    const perTask = Math.max(1, Math.floor(TASK / perRequest))
    const wanted = this.#signed + Math.ceil((transactions - this.ready) / perRequest)
    while (this.#signed < wanted && this.#bytes < MAX_BYTES) {
      const parts = await Promise.all(
        this.#workers.map((worker, i) => {
          const from = Math.min(this.#signed + i * perTask, wanted)
          return ask(worker, { from, to: Math.min(from + perTask, wanted) })
        }),
      )
      for (const part of parts.flat()) {
        this.#ready.push(part)
        this.#bytes += part.bytes.length
        this.#signed++
      }
    }
  }
}

function ask(worker: Worker, task: SignTask): Promise<SignedRequest[]> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (signed: SignedRequest[]) => {
      worker.off('error', reject)
      resolve(signed)
    })
    worker.postMessage(task)
  })
}
