import type { Worker } from 'node:worker_threads'
import { type Log, pause } from '../../../server/plugin.ts'
import type { PooledBatch, TransactionBatch } from './batch.ts'
import { Blame } from './blame.ts'
import { isAwayCode } from './database-away.ts'
import { SHARD_TUNING, type ShardTuning } from './engine.ts'
import type { Poison } from './halt-store.ts'
import type { RootDelivery } from './inbox.ts'
import type { ShardAnswers, ShardQuestion, ShardReport, ShardRequest } from './messages.ts'
import { OpenQuestions } from './open-questions.ts'
import { MARK_BYTES, readPosition, readRunning } from './run-marks.ts'
import type { Running } from './running.ts'
import { type HostReport, type ShardHost, ShardHostError, shardUnavailable } from './shard-host.ts'
import type { ShardSeed } from './shard-seed.ts'
import { beginThread, type EarlyThreads, shardThread } from './shard-thread.ts'
import { watch } from './watchdog.ts'
import type { ShardWorkerData } from './worker.ts'

/** Crashes in a row, each within a minute of its start, after which a shard stays down. */
const MAX_CRASHES = 10
const CRASH_WINDOW_MS = 60_000
const RESTART_MS = 200
const MAX_RESTART_MS = 5_000
const STOP_MS = 8_000
const OUT_OF_MEMORY = 'ran out of memory'
/** What may come of something that a call left behind. */
const LEFTOVER_CODES = new Set(['SHARD_CRASHED', 'SHARD_HANGS'])

/** What starting again cannot mend. */
export const FINAL_CODES: ReadonlySet<string> = new Set([
  'STATE_MISMATCH',
  'FORKED',
  'SUPPLY_CHANGED',
  'MODULE_SET',
  'FENCED',
])

/** A shard in a worker thread. A crash is reported, and the thread started again from what is durable. */
export class WorkerShardHost implements ShardHost {
  readonly id: string
  readonly isElsewhere = false
  status: ShardHost['status'] = 'STARTING'
  readonly #data: Omit<ShardWorkerData, 'seed'>
  /** For the first start; later ones read the database. */
  #seed: ShardSeed | undefined
  readonly #log: Log
  readonly #prepare: () => Promise<Partial<ShardWorkerData>>
  readonly #early: Pick<EarlyThreads, 'take'> | undefined
  readonly #listeners: ((report: HostReport) => void)[] = []
  readonly #questions = new OpenQuestions(this)
  #worker: Worker | undefined
  #crashes = 0
  /** Starts in a row that failed for want of the database. */
  #awayStarts = 0
  #startedAt = 0
  #fatal: { code: string; message: string; running?: Running } | undefined
  readonly #marks = new SharedArrayBuffer(MARK_BYTES)
  readonly #blame = new Blame()
  /** A message that cannot be run, to be remembered at the next start. */
  #poison: Poison | undefined
  /** The last thread was ended by something that a call had left behind, and nobody knows which. */
  #isCautious = false
  /** Why it does not run, whoever starts it. */
  #halted: string | undefined
  #stopping = false
  #wasReady = false
  /** The present thread was ready. */
  #isReady = false
  /** Its children go on; it never runs again. */
  #isSplit = false

  /**
   * @param prepare gives what each start needs anew; it tries until it has it
   * @param early where its first thread may be under way already
   */
  constructor(
    data: ShardWorkerData,
    log: Log,
    prepare: () => Promise<Partial<ShardWorkerData>> = async () => ({}),
    early?: Pick<EarlyThreads, 'take'>,
  ) {
    this.id = data.shard
    const { seed, ...rest } = data
    this.#data = rest
    this.#seed = seed
    this.#log = log
    this.#prepare = prepare
    this.#early = early
  }

  async start(): Promise<void> {
    this.#startedAt = performance.now()
    this.#fatal = undefined
    this.#isReady = false
    const data = { ...this.#data, ...(await this.#prepare()) }
    if (this.#stopping) throw shardUnavailable(this)
    const seed = this.#seed
    this.#seed = undefined
    const worker = this.#early?.take(this.id) ?? shardThread(data)
    beginThread(worker, { ...data, ...(seed && { seed }), ...this.#forNow() })
    this.#worker = worker
    let unwatch: (() => void) | undefined
    return new Promise((resolve, reject) => {
      worker.on('message', (report: ShardReport) => {
        if (report.type === 'ready') {
          this.status = 'RUNNING'
          this.#wasReady = true
          this.#isReady = true
          this.#awayStarts = 0
          unwatch = this.#watch(worker)
          resolve()
        }
        if (report.type === 'halted') {
          this.#halted = report.reason
          this.#poison = undefined
          resolve()
        }
        if (report.type === 'split') {
          this.#isSplit = true
          resolve()
        }
        this.#onReport(report)
      })
      worker.on('error', (error) => {
        this.#log.error({ error, shard: this.id }, 'a shard crashed')
        const isFull = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        this.#fatal ??= { code: isFull ? 'OUT_OF_MEMORY' : 'SHARD_CRASHED', message: error.message }
      })
      worker.on('exit', () => {
        unwatch?.()
        const { code, message } = this.#fatal ?? { code: 'SHARD_CRASHED', message: 'its thread ended' }
        reject(new ShardHostError(code, message))
        this.#onExit(code, message)
      })
    })
  }

  submit(batch: TransactionBatch): boolean {
    if (this.status !== 'RUNNING') return false
    this.#post({ type: 'submit', batch }, [batch.ids.buffer, batch.lengths.buffer, batch.data.buffer])
    return true
  }

  deliver(delivery: RootDelivery): void {
    if (this.status === 'RUNNING') this.#post({ type: 'root', delivery })
  }

  adopt(pool: PooledBatch): void {
    if (this.status === 'RUNNING') this.#post({ type: 'adopt', pool })
  }

  ask<Q extends ShardQuestion>(question: Q): Promise<ShardAnswers[Q['kind']]> {
    return this.#questions.ask(question, (request) => this.#post(request))
  }

  /** It crashed so often that what it was sent may be why. */
  get losesPool(): boolean {
    return this.#crashes > MAX_CRASHES / 2
  }

  onReport(listener: (report: HostReport) => void): void {
    this.#listeners.push(listener)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#post({ type: 'stop' })
    const inTime = new AbortController()
    const isLate = await Promise.race([ended.then(() => false), pause(STOP_MS, inTime.signal).then(() => true)])
    inTime.abort()
    if (isLate) {
      this.#log.warn({ shard: this.id }, 'a shard did not stop in time and was ended; nothing durable is lost')
      await worker.terminate()
    }
  }

  /** Ends the thread at once. Nothing durable is lost. */
  async abandon(): Promise<void> {
    this.#stopping = true
    await this.#worker?.terminate()
  }

  #onReport(report: ShardReport): void {
    if (report.type === 'answer' || report.type === 'failed-answer') return this.#questions.settle(report)
    if (report.type === 'fatal') this.#fatal = report
    if (report.type === 'evicted') this.#blame.barred.add(report.id)
    if (report.type === 'warning') this.#log.warn({ ...report.fields, shard: this.id }, report.message)
    this.#tell(report)
  }

  /** What each start is told anew. */
  #forNow(): Pick<ShardWorkerData, 'marks' | 'barred' | 'poison' | 'isCautious'> {
    // Kept until the shard says that it is remembered: a start may fail before.
    const poison = this.#poison
    const barred = this.#blame.barred.ids()
    return { marks: this.#marks, barred, isCautious: this.#isCautious, ...(poison && { poison }) }
  }

  get #tuning(): ShardTuning {
    return { ...SHARD_TUNING, ...this.#data.tuning }
  }

  /** Ends the thread when what it runs does not end, or takes too much memory. */
  #watch(worker: Worker): () => void {
    const { watchdogMs, memoryMb } = this.#tuning
    let isWeighing = false
    const end = (code: string, message: string): void => {
      this.#fatal ??= { code, message }
      void worker.terminate()
    }
    return watch({
      memory: this.#marks,
      limitMs: watchdogMs,
      cpuMs: async () => {
        const { user, system } = await worker.cpuUsage()
        return (user + system) / 1000
      },
      onFinding: (finding) =>
        finding === 'run'
          ? end('RUN_TOO_LONG', `ran for more than ${watchdogMs / 1000} s`)
          : end('SHARD_HANGS', 'its thread does nothing any more'),
      onLongRun: () => {
        if (isWeighing) return
        isWeighing = true
        // Arrays of bytes are not in the heap that V8 limits.
        worker.getHeapStatistics().then(
          ({ used_heap_size, external_memory }) => {
            isWeighing = false
            if (used_heap_size + external_memory > memoryMb * 2 ** 20) end('OUT_OF_MEMORY', OUT_OF_MEMORY)
          },
          // It has ended meanwhile.
          () => undefined,
        )
      },
    })
  }

  /** What the thread's end says of what it ran. True if it may go on without being counted as a crash. */
  #isMended(): boolean {
    const { code, message, running } = this.#fatal ?? { code: 'SHARD_CRASHED', message: 'its thread ended' }
    if (this.#stopping || FINAL_CODES.has(code)) return false
    const why = code === 'OUT_OF_MEMORY' ? OUT_OF_MEMORY : message
    const isRunning = running !== undefined || readPosition(this.#marks).run !== undefined
    const culprit = running ?? readRunning(new Uint8Array(this.#marks))
    // What a call left behind goes off when another one runs, or none. While it is cautious there is no other.
    const isLeftover = !isRunning && this.#isReady && LEFTOVER_CODES.has(code)
    const isKnown = isRunning || (isLeftover && this.#isCautious)
    this.#isCautious = isLeftover
    if (culprit === undefined || !isKnown) return false
    const cause = isRunning ? why : `left something behind that ended its thread: ${why}`
    const verdict = this.#blame.judge(culprit, cause)
    if (verdict.kind === 'halt' && culprit.kind === 'message') this.#poison = { running: culprit, why: cause }
    if (verdict.kind === 'evict') {
      const { id } = verdict
      this.#tell({ type: 'evicted', id, message: verdict.message })
      this.#tell({ type: 'dropped', drop: { status: 'EVICTED', ids: id, waiters: new Uint32Array(0) } })
    }
    return isRunning || verdict.kind !== 'again'
  }

  #tell(report: HostReport): void {
    for (const listener of this.#listeners) listener(report)
  }

  #onExit(code: string, message: string): void {
    this.#worker = undefined
    const isHalted = this.#halted !== undefined
    // It did nothing yet that could be blamed: whatever was known of earlier crashes stays so.
    const isAway = this.#wasReady && !this.#isReady && isAwayCode(code)
    const isMended = isAway || (!isHalted && this.#wasReady && this.#isMended())
    const isOver = this.#stopping || this.#isSplit || isHalted
    const isFinal = isOver || (!isMended && (!this.#wasReady || FINAL_CODES.has(code) || !this.#mayRestart()))
    this.status = isFinal ? 'STOPPED' : 'RESTARTING'
    this.#questions.giveUp()
    this.#tell({ type: 'down' })
    if (isHalted) this.#log.error({ shard: this.id, reason: this.#halted }, `shard ${this.id} stays down`)
    if (isOver) return
    if (isFinal) {
      this.#log.error({ shard: this.id, code }, `shard ${this.id} stopped: ${message}`)
      return
    }
    if (isAway) this.#awayStarts++
    const why = isAway ? 'the database is away' : 'a crash'
    this.#log.warn({ shard: this.id, code }, `shard ${this.id} is started again after ${why}: ${message}`)
    void this.#restart()
  }

  async #restart(): Promise<void> {
    const failures = Math.max(this.#crashes - 1, this.#awayStarts, 0)
    await pause(Math.min(RESTART_MS * 2 ** failures, MAX_RESTART_MS))
    if (this.#stopping) return
    // A restart may itself fail: its exit is counted like a crash, unless the database is away.
    await this.start().catch((error: Error) =>
      this.#log.warn({ shard: this.id, error: error.message }, 'not started again'),
    )
  }

  #mayRestart(): boolean {
    this.#crashes = performance.now() - this.#startedAt < CRASH_WINDOW_MS ? this.#crashes + 1 : 1
    return this.#crashes <= MAX_CRASHES
  }

  #post(request: ShardRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(request, transfer)
  }
}
