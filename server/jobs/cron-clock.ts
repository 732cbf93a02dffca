import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Log } from '../plugin/host.ts'
import type { Sql, Transaction } from '../plugin/sql.ts'
import { queueName, type RunnableJob } from './declared.ts'
import { nextTime } from './schedule.ts'

/** The longest sleep: a clock that was set is noticed after it. */
const LONGEST_MS = 60_000
const AGAIN_MS = 1_000

export interface CronClockOptions {
  /** Any pool on the node's database. */
  readonly sql: Sql
  readonly clock: Clock
  readonly log: Log
  /** Puts a run in, in the transaction. */
  readonly put: (tx: Transaction, job: RunnableJob) => Promise<string | null>
}

interface Timed {
  readonly job: RunnableJob
  /** When it is due, as far as this node knows: milliseconds since 1970. */
  dueAt: number
}

/**
 * Puts runs of cron jobs in when they are due. All nodes try, and the one that moves the job's row on does it, in the
 * same transaction, so that each time gives one run. A time at which no node ran is made up for once.
 */
export class CronClock {
  readonly #options: CronClockOptions
  readonly #stopping = new AbortController()
  readonly #timed = new Map<string, Timed>()
  readonly #loops: Promise<void>[] = []
  #tick: Promise<void> = Promise.resolve()
  /** Said once, until it goes well again. */
  #isTrouble = false

  constructor(options: CronClockOptions) {
    this.#options = options
  }

  /**
   * Writes down when each job is due, if that is not known, and forgets the jobs that the plugins no longer have.
   * @param plugins all that this node runs
   */
  async prepare(jobs: readonly RunnableJob[], plugins: readonly string[]): Promise<void> {
    const { sql, clock } = this.#options
    const known = jobs.flatMap(({ plugin, name, schedule }) =>
      schedule === undefined ? [] : [{ plugin, name, schedule, due_at: new Date(nextTime(schedule, clock.now())) }],
    )
    await sql`
      delete from core.cron_job
      where plugin = any(${[...plugins]}::text[]) and not plugin || '/' || name = any(${known.map(queueName)}::text[])`
    if (known.length === 0) return
    await sql`
      insert into core.cron_job ${sql(known)}
      on conflict (plugin, name) do update set schedule = excluded.schedule, due_at = excluded.due_at
      where cron_job.schedule <> excluded.schedule`
  }

  /** Lets a job be due from now on. */
  begin(job: RunnableJob): void {
    const timed = { job, dueAt: 0 }
    this.#timed.set(queueName(job), timed)
    this.#loops.push(this.#live(timed))
  }

  /** Puts in what is due now. Never rejects. */
  tick(): Promise<void> {
    this.#tick = this.#tick.then(async () => {
      for (const timed of this.#timed.values())
        if (timed.dueAt <= this.#options.clock.now() && !this.#stopping.signal.aborted) await this.#fire(timed)
    })
    return this.#tick
  }

  /** When the next job is due, in milliseconds since 1970; undefined if there is none. */
  next(): number | undefined {
    const times = [...this.#timed.values()].map(({ dueAt }) => dueAt)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node stops'))
    await Promise.all(this.#loops)
    await this.#tick
  }

  async #live(timed: Timed): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.tick()
      const wait = Math.min(Math.max(timed.dueAt - clock.now(), 1), LONGEST_MS)
      await clock.sleep(wait, signal).catch(() => undefined)
    }
  }

  async #fire(timed: Timed): Promise<void> {
    const { sql, clock, log, put } = this.#options
    const { plugin, name, schedule = '' } = timed.job
    try {
      timed.dueAt = await sql.begin(async (tx) => {
        const [row] = await tx<{ due: Date }[]>`
          select due_at as due from core.cron_job where plugin = ${plugin} and name = ${name} for update`
        const now = clock.now()
        const due = row?.due.getTime() ?? now
        if (due > now) return due
        const next = nextTime(schedule, now)
        await tx`
          insert into core.cron_job (plugin, name, schedule, due_at) values (${plugin}, ${name}, ${schedule}, ${new Date(next)})
          on conflict (plugin, name) do update set due_at = excluded.due_at`
        const run = await put(tx, timed.job)
        if (run === null) log.debug({ plugin, job: name }, 'a run was left out: the one before is not done yet')
        return next
      })
      this.#isTrouble = false
    } catch (error) {
      if (!this.#isTrouble) log.warn({ plugin, job: name, error }, 'a cron job cannot be put in now; trying again')
      this.#isTrouble = true
      // By the machine's own time: the clock may stand still.
      await sleep(AGAIN_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }
}
