import { readPosition } from './run-marks.ts'

/** Looks at the thread in the time that a run may take. */
const LOOKS = 10
const MIN_LOOK_MS = 20
const MAX_LOOK_MS = 500
/** A thread that takes no turn for so many times the time of a run hangs, whatever it is doing. */
const HANGS_AFTER = 6
/** What uses no time of a processor, but does not go on, has so many times as long. */
const PATIENCE = 10

/** What a watchdog finds: a run that does not end, or a thread that takes no turns. */
export type Finding = 'run' | 'thread'

export interface WatchdogOptions {
  /** What the thread marks (run-marks.ts). */
  readonly memory: SharedArrayBuffer
  /** Milliseconds of a processor's time that one transaction or message may take. */
  readonly limitMs: number
  /** The processor's time that the thread has taken so far, in milliseconds. */
  readonly cpuMs: () => Promise<number>
  /** Called once. */
  readonly onFinding: (finding: Finding) => void
  /** Called at each look while one and the same thing runs. */
  readonly onLongRun?: () => void
}

/** How long a mark has stayed the same. */
class Standstill {
  #mark: number | undefined
  #looks = 0
  #cpu: number | undefined
  readonly #limitMs: number
  readonly #maxLooks: number

  constructor(limitMs: number, lookMs: number) {
    this.#limitMs = limitMs
    this.#maxLooks = (PATIENCE * limitMs) / lookMs
  }

  /** `mark`: undefined while nothing could stand still. True if it has not changed. */
  look(mark: number | undefined): boolean {
    const isSame = mark !== undefined && mark === this.#mark
    this.#mark = mark
    this.#looks = isSame ? this.#looks + 1 : 0
    if (!isSame) this.#cpu = undefined
    return isSame
  }

  /** True if it has lasted too long; `cpuMs` is the thread's. */
  isTooLong(cpuMs: number | undefined): boolean {
    if (this.#looks === 0) return false
    this.#cpu ??= cpuMs
    const used = (cpuMs ?? 0) - (this.#cpu ?? 0)
    return used >= this.#limitMs || this.#looks >= this.#maxLooks
  }
}

/**
 * Watches a thread from outside: one that loops for ever cannot tell. What counts is the time that a processor gave to
 * the thread, so that a machine that slept, or is busy with others, is not taken for a run that does not end. Gives how
 * to end it.
 */
export function watch({ memory, limitMs, cpuMs, onFinding, onLongRun }: WatchdogOptions): () => void {
  const lookMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, limitMs / LOOKS))
  const run = new Standstill(limitMs, lookMs)
  const thread = new Standstill(HANGS_AFTER * limitMs, lookMs)
  let isAsking = false
  const judge = (cpu: number | undefined): void => {
    if (run.isTooLong(cpu)) end('run')
    else if (thread.isTooLong(cpu)) end('thread')
  }
  const look = (): void => {
    const position = readPosition(memory)
    const isLong = run.look(position.run)
    if (!thread.look(position.beat) && !isLong) return
    if (isLong) onLongRun?.()
    judge(undefined)
    if (isAsking) return
    isAsking = true
    cpuMs().then(
      (cpu) => {
        isAsking = false
        judge(cpu)
      },
      // It has ended: nobody has to watch it any more.
      () => stop(),
    )
  }
  let timer: NodeJS.Timeout | undefined = setInterval(look, lookMs)
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const end = (finding: Finding): void => {
    if (timer === undefined) return
    stop()
    onFinding(finding)
  }
  return stop
}
