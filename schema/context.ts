import type { Principal } from './principal.ts'

/** What every resolver gets as its third argument: one object a request, or one a subscription. */
export interface Context {
  /** Names this request in logs and in masked errors. */
  readonly requestId: string
  /** Who asks. */
  readonly principal: Principal
  /** Aborts when the client is gone, the request's time is up, or the server drains. Long work must honour it. */
  readonly signal: AbortSignal
  /** The request's own `extensions` object, as sent. Outside input: check before use. */
  readonly requestExtensions: Readonly<Record<string, unknown>>
  /** Merged into the response's `extensions` when anything was set. */
  readonly responseExtensions: Record<string, unknown>
}
