import { CallError } from './errors.ts'
import { MAX_ERROR_MESSAGE } from './rules.ts'

/** What a module's code threw: a refusal, a fault of the module, or the end of this machine's stack or memory. */
export type Thrown =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'exhausted' }

/**
 * A call ran out of stack or memory. How much of them there is differs between machines, so this is no result that a
 * block could hold: the block is given up, and made again without what ran.
 */
export class ExhaustedError extends Error {
  override readonly name = 'ExhaustedError'
  readonly code = 'CALL_EXHAUSTED'

  constructor(call: string) {
    super(`"${call}" ran out of stack or memory`)
  }
}

/** Codes travel in receipts and bounces. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/
/** What V8 says when a limit of the machine is reached, not one of the language. */
const LIMITS = new Set(['Maximum call stack size exceeded', 'Array buffer allocation failed'])
const BROKEN: Thrown = { kind: 'broken' }

/**
 * Reads what was thrown without trusting it: it may be anything, a proxy or an error with getters too, and reading it
 * runs the module's code once more. To be called while the call's watch is on (`beginCall`).
 */
export function readThrown(error: unknown): Thrown {
  try {
    if (error instanceof CallError) {
      const { code, message } = error
      if (typeof code !== 'string' || typeof message !== 'string' || !CODE.test(code)) return BROKEN
      return { kind: 'refused', code, message: message.slice(0, MAX_ERROR_MESSAGE).toWellFormed() }
    }
    return error instanceof RangeError && LIMITS.has(error.message) ? { kind: 'exhausted' } : BROKEN
  } catch {
    return BROKEN
  }
}
