import type { DocumentNode } from 'graphql'
import { ANONYMOUS, type Context, type Principal } from '../../schema/index.ts'
import type { Work } from '../db/work.ts'
import type { Exchange } from '../http/exchange.ts'
import { nextRequestId } from '../http/request-id.ts'
import { RequestEndedError } from './request-ended.ts'
import { type Holders, NOBODY } from './share.ts'

/** One request's context. The signal is made only if someone asks for it: most requests never do. */
export class RequestContext implements Context, Work {
  readonly requestId: string
  readonly principal: Principal
  readonly requestExtensions: Readonly<Record<string, unknown>>
  readonly responseExtensions: Record<string, unknown> = {}
  readonly startedAt: number = Date.now()
  /** Whether the client asked what the request costs: here, or by a header. */
  wantsUsage: boolean
  statements = 0
  /** Whom a subscription is counted for. */
  holders: Holders = NOBODY
  #cancels: Set<() => void> | undefined
  readonly exchange: Exchange | undefined
  /** What it asks for; known once it was read. */
  document: DocumentNode | undefined
  #controller: AbortController | undefined
  #reason: Error | undefined

  /** @param exchange the HTTP request that it came by; absent for one of a WebSocket's operations */
  constructor(
    requestExtensions: Readonly<Record<string, unknown>> = {},
    principal: Principal = ANONYMOUS,
    exchange?: Exchange,
  ) {
    this.requestId = exchange?.requestId ?? nextRequestId()
    this.exchange = exchange
    this.requestExtensions = requestExtensions
    this.wantsUsage = requestExtensions.usage === true
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
    this.#reason = new RequestEndedError(reason)
    this.#controller?.abort(this.#reason)
    for (const cancel of this.#cancels ?? []) cancel()
    this.#cancels = undefined
  }

  remember(cancel: () => void): void {
    this.#cancels ??= new Set()
    this.#cancels.add(cancel)
  }

  forget(cancel: () => void): void {
    this.#cancels?.delete(cancel)
  }
}
