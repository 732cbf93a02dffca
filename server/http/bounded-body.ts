import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

/** A request's body, read as far as it is asked for, up to a bound. */
export class BoundedBody {
  /** Set once it was found to be larger than its bound. */
  tooLarge: HttpError | undefined
  readonly #request: IncomingMessage
  readonly #limit: number

  /** @param limit bytes */
  constructor(request: IncomingMessage, limit: number) {
    this.#request = request
    this.#limit = limit
  }

  /** Refuses a body that says itself that it is too large. @throws HttpError REQUEST_ENTITY_TOO_LARGE */
  refuseDeclared(): void {
    if (Number(this.#request.headers['content-length'] ?? 0) > this.#limit) throw this.#refusal()
  }

  /** The bytes; undefined for a request that cannot have any. The stream breaks where the bound is passed. */
  stream(): ReadableStream<Uint8Array> | undefined {
    const { method, headers } = this.#request
    if (method === 'GET' || method === 'HEAD') return undefined
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return undefined
    const chunks = this.#chunks()
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks.return(undefined)
      },
    })
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    let size = 0
    for await (const chunk of this.#request) {
      size += chunk.length
      if (size > this.#limit) throw this.#refusal()
      yield chunk
    }
  }

  #refusal(): HttpError {
    this.tooLarge = new HttpError(
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      `The body is larger than ${this.#limit} bytes. Send less at a time.`,
    )
    return this.tooLarge
  }
}
