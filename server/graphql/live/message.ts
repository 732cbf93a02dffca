import type { ExecutionResult } from 'graphql'

const BEFORE_PAYLOAD = Buffer.from(',"type":"next","payload":')

/** One result of a subscription, serialised once for all who get it. */
export class Message {
  readonly result: ExecutionResult
  /** The result as JSON. */
  readonly json: string
  /** Where a reader who has got this goes on; undefined for a subscription that cannot be resumed. */
  readonly cursor: string | undefined
  #tail: Buffer | undefined

  constructor(result: ExecutionResult, cursor: string | undefined) {
    this.result = result
    this.cursor = cursor
    const json = JSON.stringify(result)
    this.json = json
    // What serialises results for HTTP asks them first; it must not show in the result itself.
    Object.defineProperty(result, 'stringify', { value: (shown: unknown) => asIs(shown, result, json) })
  }

  /** What it holds in memory, in bytes, as far as one can tell. */
  get bytes(): number {
    return this.json.length
  }

  /** All of its `next` message but the beginning, which has the id: `,"type":"next","payload":{...}}`. */
  get tail(): Buffer {
    this.#tail ??= Buffer.concat([BEFORE_PAYLOAD, Buffer.from(this.json), END])
    return this.#tail
  }
}

const END = Buffer.from('}')

/** Whoever shows a changed copy (with other errors, say) serialises that. */
const asIs = (shown: unknown, result: ExecutionResult, json: string): string =>
  shown === result ? json : JSON.stringify(shown)
