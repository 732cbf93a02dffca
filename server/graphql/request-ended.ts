/** The reason of a request's signal: nobody waits for its answer any more, or its time is up. */
export class RequestEndedError extends Error {
  override readonly name = 'RequestEndedError'
  readonly code = 'REQUEST_ENDED'
}
