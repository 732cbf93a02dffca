import { types } from 'node:util'
import { beginCall, endCall } from '../ledger/determinism.ts'
import { ExhaustedError, readThrown, type Thrown } from '../ledger/thrown.ts'
import type { CallFrame } from './call-frame.ts'

/** Why a call came to nothing: it refused, or it broke. */
export type CallFailure = Exclude<Thrown, { readonly kind: 'exhausted' }>

const BROKEN: CallFailure = { kind: 'broken' }
const ignore = (): void => undefined

/**
 * Runs a module's code: watched, and over when it returns. Gives why it came to nothing, if it did.
 * @throws ExhaustedError if it ran out of stack or memory: then it has no result at all
 */
export function runGuarded(name: string, frame: CallFrame, code: () => unknown): CallFailure | undefined {
  let failure: Thrown | undefined
  beginCall()
  try {
    if (isLater(code())) failure = BROKEN
  } catch (error) {
    failure = readThrown(error)
  } finally {
    endCall()
    frame.leave()
  }
  if (failure?.kind === 'exhausted' || frame.isTorn) throw new ExhaustedError(name)
  return failure
}

/** True for a promise, or what passes for one: a call does all its work before it returns. */
function isLater(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return typeof result === 'function' && 'then' in result
  if (types.isPromise(result)) {
    // It goes on after its call is over, and finds its context closed: nobody needs to hear of that.
    Promise.prototype.then.call(result, undefined, ignore)
    return true
  }
  return 'then' in result && typeof result.then === 'function'
}
