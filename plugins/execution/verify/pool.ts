import { Worker } from 'node:worker_threads'
import type { Log } from '../../../server/plugin.ts'

/** Raw submissions, packed. */
export interface VerifyRequest {
  readonly request: number
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly data: Uint8Array<ArrayBuffer>
}

/** What was found, transaction by transaction. */
export interface VerifyResponse {
  readonly request: number
  /** 0: good; else 1 + index in REFUSAL_CODES. */
  readonly results: Uint8Array<ArrayBuffer>
  /** 32 bytes each; zero where the bytes are no transaction. */
  readonly ids: Uint8Array<ArrayBuffer>
  readonly realms: Uint32Array<ArrayBuffer>
  /** The first 32 bits of the sender's path: what decides the shard. */
  readonly pathBits: Uint32Array<ArrayBuffer>
  readonly messages: readonly (readonly [index: number, message: string])[]
  /** The request's bytes, handed back. */
  readonly data: Uint8Array<ArrayBuffer>
}

/** A verifier's thread died with work in its hands. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError'
  readonly code = 'VERIFIER_CRASHED'
}

/** A larger nursery is collected less often; what is in it dies with its batch. */
const YOUNG_MB = 64

interface Waiting {
  readonly resolve: (response: VerifyResponse) => void
  readonly reject: (error: Error) => void
}

interface Slot {
  worker: Worker
  readonly waiting: Map<number, Waiting>
}

/** A small pool of threads that check signatures: 50 us each, four fifths of all the work on a transaction. */
export class VerifierPool {
  readonly #network: Uint8Array
  readonly #log: Log
  readonly #slots: Slot[] = []
  #requests = 0
  #closed = false

  constructor(options: { readonly network: Uint8Array; readonly threads: number; readonly log: Log }) {
    this.#network = options.network
    this.#log = options.log
    for (let i = 0; i < options.threads; i++) this.#addSlot()
  }

  /** True if some thread has nothing to do. */
  get hasIdle(): boolean {
    return this.#slots.some((slot) => slot.waiting.size === 0)
  }

  /** Requests under way. */
  get pending(): number {
    let sum = 0
    for (const slot of this.#slots) sum += slot.waiting.size
    return sum
  }

  /** Checks packed transactions; `data` is handed over. @throws VerifierError if the thread dies. */
  verify(lengths: Uint32Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<VerifyResponse> {
    const slot = this.#slots.reduce((least, next) => (next.waiting.size < least.waiting.size ? next : least))
    this.#requests++
    const request = this.#requests
    return new Promise((resolve, reject) => {
      slot.waiting.set(request, { resolve, reject })
      const message: VerifyRequest = { request, lengths, data }
      slot.worker.postMessage(message, [data.buffer])
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#slots.map((slot) => slot.worker.terminate()))
  }

  #addSlot(): void {
    const slot: Slot = { worker: this.#start(), waiting: new Map() }
    this.#slots.push(slot)
    this.#listen(slot)
  }

  #start(): Worker {
    const url = new URL(`./worker${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    return new Worker(url, {
      workerData: { network: this.#network },
      name: 'deaios verifier',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
  }

  #listen(slot: Slot): void {
    slot.worker.on('message', (response: VerifyResponse) => {
      const waiting = slot.waiting.get(response.request)
      slot.waiting.delete(response.request)
      waiting?.resolve(response)
    })
    slot.worker.on('error', (error) => this.#log.error({ error }, 'a signature checker crashed and is started again'))
    slot.worker.on('exit', () => {
      const lost = [...slot.waiting.values()]
      slot.waiting.clear()
      for (const { reject } of lost) {
        reject(new VerifierError('checking was interrupted: submit the same bytes again, they cannot run twice'))
      }
      if (this.#closed) return
      slot.worker = this.#start()
      this.#listen(slot)
    })
  }
}
