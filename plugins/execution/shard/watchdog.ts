import { readPosition } from './run-marks.ts'

/** Looks at the thread in the time that a run may take. */
const LOOKS = 10
const MIN_LOOK_MS = 20
const MAX_LOOK_MS = 500
/** A thread that takes no turn for so many times the time of a run hangs, whatever it is doing. */
const HANGS_AFTER = 6

/** What a watchdog finds: a run that does not end, or a thread that takes no turns. */
export type Finding = 'run' | 'thread'

export interface WatchdogOptions {
  /** What the thread marks (run-marks.ts). */
  readonly memory: SharedArrayBuffer
  /** Milliseconds that one transaction or message may run. */
  readonly limitMs: number
  /** Called once. */
  readonly onFinding: (finding: Finding) => void
  /** Called at each look while one and the same thing runs. */
  readonly onLongRun?: () => void
}

/**
 * Watches a thread from outside: one that loops for ever cannot tell. Time is counted in looks, so that a machine that
 * slept, or had no time for either thread, is not taken for a run that does not end. Gives how to end it.
 */
export function watch({ memory, limitMs, onFinding, onLongRun }: WatchdogOptions): () => void {
  const lookMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, limitMs / LOOKS))
  const limit = Math.ceil(limitMs / lookMs)
  let last = readPosition(memory)
  // A thread that has just begun loads what it needs, and has not taken its first turn.
  const before = last.beat
  let sameRun = 0
  let sameBeat = 0
  const look = (): void => {
    const now = readPosition(memory)
    sameRun = now.run !== undefined && now.run === last.run ? sameRun + 1 : 0
    sameBeat = now.beat !== before && now.beat === last.beat ? sameBeat + 1 : 0
    last = now
    if (sameRun >= limit) end('run')
    else if (sameBeat >= HANGS_AFTER * limit) end('thread')
    else if (sameRun > 0) onLongRun?.()
  }
  const timer = setInterval(look, lookMs)
  const end = (finding: Finding): void => {
    clearInterval(timer)
    onFinding(finding)
  }
  return () => clearInterval(timer)
}
