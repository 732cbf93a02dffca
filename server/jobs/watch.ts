import { messageOf } from '../db/errors.ts'
import type { Log } from '../plugin/host.ts'
import type { Sql } from '../plugin/sql.ts'
import { BOSS_CHANNEL } from './boss.ts'
import { parseQueueName, queueName } from './declared.ts'
import { JobError } from './errors.ts'
import type { JobMeter } from './metrics.ts'
import { prune } from './prune.ts'
import type { QueueWorker } from './queue-worker.ts'
import { runError } from './run.ts'
import { claimName, type RunStore } from './run-store.ts'

const LOOK_MS = 1_000
/** So often in the time after which a run is lost. */
const BEATS = 4
const PRUNE_MS = 600_000

export interface WatchOptions {
  readonly store: RunStore
  /** Any pool on the node's database. */
  readonly sql: Sql
  readonly meter: JobMeter
  readonly log: Log
  /** How much work of one job may wait. */
  readonly maxWaiting: number
  readonly countMs: number
  /** A run whose process has not been heard of for so long is lost. */
  readonly lostAfterMs: number
}

/**
 * What keeps a node's jobs going: it wakes the workers when work is put in or comes due, says that the node's runs go
 * on, puts runs of dead processes back, counts what waits, and forgets what is old. A notification only saves time: what
 * was missed is found within a second.
 */
export class Watch {
  readonly #options: WatchOptions
  readonly #workers = new Map<string, QueueWorker>()
  readonly #troubles = new Set<string>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #going = new Set<Promise<void>>()
  #unlisten: (() => Promise<void>) | undefined
  /** When the database last said that the runs are kept; before it was asked. */
  #heardAt = performance.now()
  #waiting: ReadonlyMap<string, number> = new Map()

  constructor(options: WatchOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { sql, lostAfterMs } = this.#options
    const wakeAll = (): void => {
      for (const worker of this.#workers.values()) worker.wake()
    }
    const { unlisten } = await sql.listen(BOSS_CHANNEL, (queue) => this.#workers.get(queue)?.wake(), wakeAll)
    this.#unlisten = unlisten
    this.#every(LOOK_MS, 'look for work', () => this.#look())
    this.#every(lostAfterMs / BEATS, 'keep runs', () => this.#beat())
    // Apart from the beat, which may itself wait for a database that does not answer.
    this.#timers.push(setInterval(() => this.#loseUnheard(), lostAfterMs / BEATS).unref())
    this.#every(this.#options.countMs, 'count what waits', () => this.#count())
    this.#every(PRUNE_MS, 'forget old runs', () => prune(sql))
  }

  /** Lets a job's runs be worked off on this node. */
  add(worker: QueueWorker): void {
    this.#workers.set(queueName(worker.job), worker)
    worker.wake()
  }

  get workers(): readonly QueueWorker[] {
    return [...this.#workers.values()]
  }

  /** Whether as much waited as may, when it was last counted. */
  isFull(queue: string): boolean {
    return (this.#waiting.get(queue) ?? 0) >= this.#options.maxWaiting
  }

  /** To be called when the last run has ended: until then the runs must be kept. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#going)
    await this.#unlisten?.().catch((error: unknown) =>
      this.#options.log.debug({ error }, 'the listener for jobs was gone already'),
    )
  }

  /** Repeats something that may fail while the database is away; says so once. Never two of the same at a time. */
  #every(ms: number, what: string, work: () => Promise<void>): void {
    let going: Promise<void> | undefined
    const turn = async (): Promise<void> => {
      try {
        await work()
        if (this.#troubles.delete(what)) this.#options.log.info(`can ${what} again`)
      } catch (error) {
        if (!this.#troubles.has(what)) this.#options.log.warn({ reason: messageOf(error) }, `cannot ${what} now`)
        this.#troubles.add(what)
      }
    }
    const timer = setInterval(() => {
      if (going !== undefined) return
      const started = turn().finally(() => {
        going = undefined
        this.#going.delete(started)
      })
      going = started
      this.#going.add(started)
    }, ms)
    timer.unref()
    this.#timers.push(timer)
  }

  async #look(): Promise<void> {
    const { store, lostAfterMs } = this.#options
    const jobs = this.workers.map(({ job }) => job)
    if (jobs.length === 0) return
    for (const queue of await store.due(jobs)) this.#workers.get(queue)?.wake()
    for (const { queue, ...claim } of await store.lost(jobs, lostAfterMs / 1000)) {
      const job = parseQueueName(queue)
      const problem = `the process that ran it was not heard of for ${lostAfterMs / 1000} s`
      const isOurs = await store.fail(job, claim, runError(new JobError('JOB_LOST', job, problem)))
      if (isOurs) this.#options.log.warn({ ...job, run: claim.id }, 'a run was put back: its process has died')
    }
  }

  async #beat(): Promise<void> {
    const running = this.workers.flatMap((worker) => worker.running.map(({ job, claim }) => ({ worker, job, claim })))
    if (running.length === 0) return
    const askedAt = performance.now()
    const kept = await this.#options.store.touch(running)
    this.#heardAt = askedAt
    for (const { worker, claim } of running) if (!kept.has(claimName(claim))) worker.lose(claim)
  }

  /** Nobody has heard of this process, whatever it waits for: others take its runs over as soon as they can. */
  #loseUnheard(): void {
    const latest = performance.now() - this.#options.lostAfterMs
    if (this.#heardAt > latest) return
    for (const worker of this.workers)
      for (const { claim, claimedAt } of worker.running) if (claimedAt <= latest) worker.lose(claim)
  }

  async #count(): Promise<void> {
    const jobs = this.workers.map(({ job }) => job)
    this.#waiting = await this.#options.store.waiting(jobs, this.#options.maxWaiting)
    this.#options.meter.waits(jobs, this.#waiting)
  }
}
