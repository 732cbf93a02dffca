import { type Log, pause } from '../../../server/plugin.ts'
import type { PooledBatch, TransactionBatch } from '../shard/batch.ts'
import type { RootDelivery } from '../shard/inbox.ts'
import type { ShardAnswers, ShardQuestion, ShardReport, ShardRequest } from '../shard/messages.ts'
import { OpenQuestions } from '../shard/open-questions.ts'
import { type HostReport, type ShardHost, ShardHostError } from '../shard/shard-host.ts'
import { explain } from './explain.ts'
import type { HostLink, LinkedShard } from './host-link.ts'
import type { FromHost, ShardAssignment } from './messages.ts'

/** A shard with many cells needs so long to read them. */
const PATIENCE_MS = 30_000
const STOP_MS = 10_000
const RETRY_MS = 300

/**
 * A shard in another process, with a database of its own. Whatever happens to that process, its database or the way to
 * it, the shard is RESTARTING until it runs again.
 */
export class ProcessShardHost implements ShardHost, LinkedShard {
  readonly id: string
  readonly isElsewhere = true
  status: ShardHost['status'] = 'STARTING'
  eventTrouble: string | undefined
  readonly #link: HostLink
  readonly #assignment: () => Promise<ShardAssignment>
  readonly #log: Log
  readonly #listeners: ((report: HostReport) => void)[] = []
  readonly #questions = new OpenQuestions(this)
  readonly #ready = Promise.withResolvers<void>()
  /** While it is being stopped: told that it has, or that nobody is there to tell. */
  #onStopped: (() => void) | undefined
  #onRoot: (() => void) | undefined
  readonly #over = new AbortController()
  /** Aborts when the host was not there, or could not start the shard yet. */
  readonly #missed = new AbortController()
  /** Counts connections: what was read for an earlier one is of no use to a later one. */
  #run = 0
  #isSplit = false

  /** `assignment`: what the host must be told to run the shard; read anew for each connection. */
  constructor(id: string, link: HostLink, assignment: () => Promise<ShardAssignment>, log: Log) {
    this.id = id
    this.#link = link
    this.#assignment = assignment
    this.#log = log
    this.#ready.promise.catch(() => undefined)
  }

  /** Resolves once it runs, or when its host is not there: then it starts by itself as soon as that is. */
  async start(): Promise<void> {
    this.#link.attach(this)
    const inTime = new AbortController()
    const signal = AbortSignal.any([inTime.signal, this.#over.signal, this.#missed.signal])
    try {
      await Promise.race([this.#ready.promise, pause(PATIENCE_MS, signal)])
    } finally {
      inTime.abort()
    }
  }

  submit(batch: TransactionBatch): boolean {
    if (this.status !== 'RUNNING' || this.#link.isBusy) return false
    return this.#post({ type: 'submit', batch })
  }

  deliver(delivery: RootDelivery): void {
    this.#onRoot?.()
    if (this.status === 'RUNNING') this.#post({ type: 'root', delivery })
  }

  adopt(pool: PooledBatch): void {
    if (this.status === 'RUNNING') this.#post({ type: 'adopt', pool })
  }

  ask<Q extends ShardQuestion>(question: Q): Promise<ShardAnswers[Q['kind']]> {
    return this.#questions.ask(question, (request) => this.#post(request))
  }

  onReport(listener: (report: HostReport) => void): void {
    this.#listeners.push(listener)
  }

  /** Called for each root block that is there. */
  onRoot(listener: () => void): void {
    this.#onRoot = listener
  }

  /** Called once, when it is stopped for good. */
  onEnd(listener: () => void): void {
    this.#over.signal.addEventListener('abort', listener, { once: true })
  }

  async stop(): Promise<void> {
    if (this.#over.signal.aborted) return
    if (this.status === 'RUNNING' && this.#link.send({ type: 'stop', shard: this.id })) {
      const stopped = new AbortController()
      this.#onStopped = () => stopped.abort()
      await pause(STOP_MS, stopped.signal)
    }
    await this.abandon()
  }

  async abandon(): Promise<void> {
    this.#over.abort()
    this.#link.detach(this)
    this.#down('STOPPED')
  }

  up(): void {
    // Its children go on; it never runs again.
    if (this.#isSplit) return
    this.#run++
    void this.#begin(this.#run)
  }

  down(): void {
    this.#run++
    this.#down('RESTARTING')
  }

  take(message: Extract<FromHost, { type: 'report' | 'status' }>): void {
    if (message.type === 'report') return this.#onReport(message.report)
    const { status, reason } = message
    if (status === 'RUNNING') {
      this.status = status
      return
    }
    if (reason !== null && status !== 'STOPPED')
      this.#log.warn({ shard: this.id, ...reason }, 'a shard cannot start on its host yet')
    if (reason !== null && status === 'STOPPED') {
      this.#log.error({ shard: this.id, code: reason.code }, `shard ${this.id} stopped: ${reason.message}`)
      this.#ready.reject(new ShardHostError(reason.code, reason.message))
    }
    this.#down(status)
  }

  /** Tells a host that is there to run the shard. */
  async #begin(run: number): Promise<void> {
    while (run === this.#run && !this.#over.signal.aborted) {
      try {
        const assignment = await this.#assignment()
        if (run === this.#run && !this.#over.signal.aborted) this.#link.send({ type: 'start', assignment })
        return
      } catch (error) {
        this.#log.warn({ shard: this.id, error: explain(error) }, 'a shard cannot be given to its host; trying again')
        await pause(RETRY_MS, this.#over.signal)
      }
    }
  }

  #onReport(report: ShardReport): void {
    if (report.type === 'answer' || report.type === 'failed-answer') return this.#questions.settle(report)
    if (report.type === 'split') this.#isSplit = true
    if (report.type === 'ready' || report.type === 'split' || report.type === 'halted') this.#ready.resolve()
    if (report.type === 'stopped') this.#onStopped?.()
    if (report.type === 'warning') this.#log.warn({ ...report.fields, shard: this.id }, report.message)
    for (const listener of this.#listeners) listener(report)
  }

  #down(status: ShardHost['status']): void {
    this.#onStopped?.()
    this.#missed.abort()
    const wasRunning = this.status === 'RUNNING'
    this.status = status
    this.#questions.giveUp()
    // Whoever stops it knows.
    if (wasRunning || !this.#over.signal.aborted) for (const listener of this.#listeners) listener({ type: 'down' })
  }

  #post(request: ShardRequest): boolean {
    return this.#link.send({ type: 'request', shard: this.id, request })
  }
}
