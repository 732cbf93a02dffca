import { ANONYMOUS, type Context, type Principal } from '../../schema/index.ts'

let requests = 0
/** Tells the requests of one run of the node from those of another. */
const run = Math.random().toString(36).slice(2, 8)

/** One request's context. The signal is made only if someone asks for it: most requests never do. */
export class RequestContext implements Context {
  readonly requestId: string = `${run}-${(++requests).toString(36)}`
  readonly principal: Principal
  readonly requestExtensions: Readonly<Record<string, unknown>>
  readonly responseExtensions: Record<string, unknown> = {}
  readonly startedAt: number = Date.now()
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor(requestExtensions: Readonly<Record<string, unknown>> = {}, principal: Principal = ANONYMOUS) {
    this.requestExtensions = requestExtensions
    this.principal = principal
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    return this.#reason !== undefined
  }

  /** Tells all work for this request that no one waits for it any more. */
  abort(reason: string): void {
    if (this.#reason !== undefined) return
    this.#reason = new Error(reason)
    this.#controller?.abort(this.#reason)
  }
}
