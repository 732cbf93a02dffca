import { GraphQLError } from 'graphql'

export type StreamEndCode = 'SLOW_CONSUMER' | 'CURSOR_EXPIRED' | 'DRAINING'

/**
 * Why a stream of events ended before its reader wanted it to. It is a GraphQLError, so that a subscription that
 * passes it on ends with `extensions { code cursor }`.
 */
export class StreamEnd extends GraphQLError {
  override readonly name = 'StreamEnd'
  readonly code: StreamEndCode
  /** Pass this as `after` to go on. For CURSOR_EXPIRED, what lies between is gone. */
  readonly cursor: string

  constructor(code: StreamEndCode, message: string, cursor: string) {
    super(message, { extensions: code === 'CURSOR_EXPIRED' ? { code, cursor, first: cursor } : { code, cursor } })
    this.code = code
    this.cursor = cursor
  }
}

export const slowConsumer = (cursor: string, behind: number): StreamEnd =>
  new StreamEnd(
    'SLOW_CONSUMER',
    `The reader fell ${behind} events behind. Read faster or fewer topics, and resume after the cursor.`,
    cursor,
  )

export const cursorExpired = (first: string): StreamEnd =>
  new StreamEnd(
    'CURSOR_EXPIRED',
    'Events after this cursor are no longer kept. Resume after the cursor `first`.',
    first,
  )

export const draining = (cursor: string): StreamEnd =>
  new StreamEnd('DRAINING', 'The node is shutting down. Connect again, and resume after the cursor.', cursor)
