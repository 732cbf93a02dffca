import { apiError } from '../../schema/index.ts'

/** A place in the stream: behind the event `index` of batch `seq`. Index -1 is before the batch's first event. */
export interface Position {
  readonly seq: number
  readonly index: number
}

const shape = /^e([0-9a-z]{1,10})_(-1|[0-9a-z]{1,6})$/

/** The opaque text of a position. */
export const formatCursor = (seq: number, index: number): string =>
  `e${seq.toString(36)}_${index === -1 ? '-1' : index.toString(36)}`

/** @throws GraphQLError BAD_CURSOR for anything that formatCursor did not make */
export function parseCursor(cursor: string): Position {
  const [, seq, index] = shape.exec(cursor) ?? []
  if (seq === undefined || index === undefined) throw badCursor('This is not a cursor of the event stream')
  const position = { seq: Number.parseInt(seq, 36), index: index === '-1' ? -1 : Number.parseInt(index, 36) }
  if (!Number.isSafeInteger(position.seq)) throw badCursor('This is not a cursor of the event stream')
  return position
}

export const badCursor = (what: string) =>
  apiError('BAD_CURSOR', `${what}. Pass a cursor exactly as this node gave it.`)
