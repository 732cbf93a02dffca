import { strict as assert } from 'node:assert'
import { toHex } from '../../../protocol/index.ts'
import type { Spoiled } from './spoiled.ts'

/** How a node answered one transaction, over whatever way. */
export type Answer =
  | { readonly kind: 'accepted'; readonly duplicate: boolean; readonly status: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

/** Longer than any sentence that explains a refusal; what was refused must not be echoed whole. */
const LONGEST_MESSAGE = 1000

/** Counts answers by code, and throws at one that does not fit its fault. */
export class Verdicts {
  readonly #counts = new Map<string, number>()

  check({ fault, expected, wire }: Spoiled, answer: Answer | undefined): void {
    const what = `${fault}: ${toHex(wire.subarray(0, 300))}`
    assert.ok(answer !== undefined, `no answer to ${what}`)
    const code = answer.kind === 'accepted' ? 'REPEATED' : answer.code
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
    if (answer.kind === 'accepted') {
      const { duplicate, status } = answer
      assert.deepEqual(
        { expected, duplicate, status },
        { expected: 'REPEATED', duplicate: true, status: 'EXECUTED' },
        `taken: ${what}`,
      )
      return
    }
    assert.ok(expected !== 'REPEATED', `${answer.code} instead of a repetition for ${what}`)
    assert.ok(
      expected.some((one) => one === answer.code),
      `${answer.code} (${answer.message.slice(0, 200)}) instead of ${expected.join(' or ')} for ${what}`,
    )
    assert.ok(
      answer.message.length > 0 && answer.message.length <= LONGEST_MESSAGE,
      `an answer of ${answer.message.length} characters to ${what}`,
    )
  }

  /** How often each code was answered, most often first. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a))
  }
}
