let requests = 0
/** Tells the requests of one run of the node from those of another. */
const run = Math.random().toString(36).slice(2, 8)

/** What a client or a proxy may call its request: it lands in logs and in the answer's header. */
const SANE = /^[A-Za-z0-9._~:/+=@-]{1,128}$/

/** A name for a request, unique in this run of the node. */
export const nextRequestId = (): string => `${run}-${(++requests).toString(36)}`

/** The client's own `x-request-id` if that is short and plain, else a new one. */
export function requestIdOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && SANE.test(header) ? header : nextRequestId()
}
