import { Script } from 'node:vm'
import { endCall } from '../ledger/determinism.ts'

/** Code was cut off because it did not end in time. */
export class EndlessCallError extends Error {
  override readonly name = 'EndlessCallError'
  readonly code = 'CALL_ENDLESS'
  /** It hardly ran: the machine stood still, and the code is not to blame. */
  readonly wasStalled: boolean

  constructor(message: string, wasStalled: boolean, cause: unknown) {
    super(message, { cause })
    this.wasStalled = wasStalled
  }
}

const MAX_MS = 5000
/** The part of the time that code which runs for ever gets of a processor, however busy the machine is. */
const STALLED = 0.1
/** Where the script finds what it is to run; nothing else knows the key. */
const RUN = Symbol.for('deaios.execution.withinTime')
const script = new Script(`globalThis[Symbol.for('deaios.execution.withinTime')]()`)

/**
 * Runs code that may not come to an end: the engine cuts it off after 5 s, wherever it is. About 0.1 ms on top.
 * @param what names it, for the error
 * @throws EndlessCallError; whatever the code throws
 */
export function withinTime<T>(what: () => string, run: () => T, ms = MAX_MS): T {
  const before = process.threadCpuUsage()
  const box: { result?: { readonly value: T } } = {}
  const slot = globalThis as { [RUN]?: (() => void) | undefined }
  slot[RUN] = () => {
    box.result = { value: run() }
  }
  try {
    script.runInThisContext({ timeout: ms })
  } catch (error) {
    if (!isTimeout(error)) throw error
    const { user, system } = process.threadCpuUsage(before)
    const message = `${what()} did not end within ${ms / 1000} s: its module has to be mended`
    throw new EndlessCallError(message, (user + system) / 1000 < ms * STALLED, error)
  } finally {
    slot[RUN] = undefined
    // Code that was cut off did not end its own watch: nothing outside of it must be taken for it.
    endCall()
  }
  if (box.result === undefined) throw new TypeError('the script ended without running what it was given')
  return box.result.value
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
