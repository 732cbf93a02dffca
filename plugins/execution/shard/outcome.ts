import { type CborValue, Reader, STATUS } from '../../../protocol/index.ts'

/** What kind of message an outcome is about. */
export const MESSAGE_KIND = { ACTION: 0, BOUNCE: 1, SEND: 2 } as const

/** What became of one message of a transaction in another block than the transaction's own. */
export interface MessageOutcome {
  readonly action: number
  readonly kind: number
  /** DONE or REFUSED. */
  readonly status: number
  readonly code: string
  readonly message: string
}

/** CBOR value of outcomes, as `outcome.detail` holds them. */
export const outcomesValue = (outcomes: readonly MessageOutcome[]): CborValue =>
  outcomes.map((outcome) => [outcome.action, outcome.kind, outcome.status, outcome.code, outcome.message])

/** Reads `outcome.detail`. @throws CodecError */
export function readOutcomes(bytes: Uint8Array): MessageOutcome[] {
  const reader = new Reader(bytes)
  const count = reader.arrayHeader()
  const outcomes: MessageOutcome[] = []
  for (let i = 0; i < count; i++) {
    reader.arrayOf(5)
    outcomes.push({
      action: reader.uint(),
      kind: reader.uint(2),
      status: reader.uint(STATUS.REFUSED),
      code: reader.text(),
      message: reader.text(),
    })
  }
  return outcomes
}
