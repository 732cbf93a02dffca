import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { codeOf } from '../db/errors.ts'
import type { Sql, SqlOrTransaction, Transaction } from '../plugin/sql.ts'
import { BOSS_CHANNEL } from './boss.ts'
import { type JobName, queueName, type RunnableJob } from './declared.ts'
import { ownKey } from './keys.ts'

const DAY_SECONDS = 86_400

/** A run that this process has taken on. */
export interface Claim {
  readonly id: string
  /** Names the claim: a run that was lost and taken over has another. */
  readonly retryCount: number
  /** Further tries that are left if this one fails. */
  readonly triesLeft: number
  /** As `toStored` made it. */
  readonly data: unknown
}

/** Tells claims apart: a process may hold two of one run, if it has taken the run over from itself. */
export const claimName = ({ id, retryCount }: Pick<Claim, 'id' | 'retryCount'>): string => `${id}:${retryCount}`

/** Why a run failed, as it is kept. */
export interface RunError {
  readonly message: string
  readonly code?: string
}

/** `key taken`: other work of its key waits or runs. */
export type Retried = 'retried' | 'not failed' | 'key taken'

/** What is put in, and how. */
export interface Work {
  /** As `toStored` made it. */
  readonly data: unknown
  /** As it is kept (keys.ts); one of its own if undefined. */
  readonly key: string | undefined
  /** Seconds until it may start. */
  readonly delay: number
}

/** pg-boss keeps objects only. */
interface StoredData {
  readonly value?: unknown
}

/** The runs of cron and queue jobs, as pg-boss keeps them in Postgres. Every change of a run is held to its claim. */
export class RunStore {
  readonly #boss: PgBoss
  readonly #sql: Sql

  /** @param sql any pool on the node's database */
  constructor(boss: PgBoss, sql: Sql) {
    this.#boss = boss
    this.#sql = sql
  }

  /** Makes the queues of jobs that have none yet. How a job runs is written with each run, not with its queue. */
  async prepare(jobs: readonly RunnableJob[]): Promise<void> {
    const known = new Set((await this.#boss.getQueues(jobs.map(queueName))).map(({ name }) => name))
    const missing = jobs.map(queueName).filter((name) => !known.has(name))
    await Promise.all(
      missing.map((name) =>
        this.#boss.createQueue(name, {
          // One piece of work of a key, waiting or running; work without a key gets one of its own.
          policy: 'exclusive',
          notify: true,
          retentionSeconds: 365 * DAY_SECONDS,
          deleteAfterSeconds: 90 * DAY_SECONDS,
        }),
      ),
    )
  }

  /** @returns the id of the run; null if there is work of the same key */
  put(tx: SqlOrTransaction, job: RunnableJob, { data, key, delay }: Work): Promise<string | null> {
    const id = randomUUID()
    const { seconds, maxSeconds } = job.backoff
    return this.#boss.send(queueName(job), data === undefined ? {} : { value: data }, {
      id,
      singletonKey: key ?? ownKey(id),
      retryLimit: job.attempts - 1,
      retryDelay: seconds,
      ...(seconds === 0 ? { retryBackoff: false } : { retryBackoff: true, retryDelayMax: maxSeconds }),
      // The worker ends a run in time; this is for one whose process can no longer.
      expireInSeconds: Math.ceil(job.timeoutSeconds) + 600,
      ...(delay > 0 ? { startAfter: delay } : {}),
      db: within(tx),
    })
  }

  /** Takes on at most so many runs that are due, oldest first. */
  async claim(job: JobName, most: number): Promise<readonly Claim[]> {
    const jobs = await this.#boss.fetch<StoredData>(queueName(job), { batchSize: most, includeMetadata: true })
    return jobs.map(({ id, retryCount, retryLimit, data }) => ({
      id,
      retryCount,
      triesLeft: Math.max(0, retryLimit - retryCount),
      data: data.value,
    }))
  }

  /** Writes that runs are done. Gives the names of the claims that held. */
  async complete(job: JobName, claims: readonly Claim[]): Promise<ReadonlySet<string>> {
    const answer = Settled.parse(await this.#boss.complete(queueName(job), [...claims]))
    const held = new Set(answer.settled)
    return new Set(claims.filter(({ id }) => held.has(id)).map(claimName))
  }

  /** Puts it back for a further try after its pause, or ends it if none is left. */
  async fail(job: JobName, claim: Pick<Claim, 'id' | 'retryCount'>, error: RunError): Promise<boolean> {
    return isDone(await this.#boss.fail(queueName(job), [claim], error))
  }

  /** Puts it back as if it had not been claimed; other nodes are told. */
  async giveBack(job: JobName, { id, retryCount }: Claim): Promise<void> {
    const queue = queueName(job)
    await this.#sql`
      with given as (
        update pgboss.job
        set state = (case when retry_count > 0 then 'retry' else 'created' end)::pgboss.job_state,
          started_on = null, heartbeat_on = null, start_after = now()
        where name = ${queue} and id = ${id} and state = 'active' and retry_count = ${retryCount}
        returning name
      )
      select pg_notify(${BOSS_CHANNEL}, name) from given`
  }

  /**
   * Puts a failed run back for one more try, at once.
   * @param note writes in the same transaction
   */
  async retry(queue: string, id: string, note: (tx: Transaction) => Promise<void>): Promise<Retried> {
    try {
      return await this.#sql.begin(async (tx) => {
        if (!isDone(await this.#boss.retry(queue, id, { db: within(tx) }))) return 'not failed'
        await note(tx)
        await tx`select pg_notify(${BOSS_CHANNEL}, ${queue})`
        return 'retried'
      })
    } catch (error) {
      if (codeOf(error) === '23505') return 'key taken'
      throw error
    }
  }

  /** Says that the runs go on. Gives the names (`claimName`) of the claims that still hold. */
  async touch(claims: readonly { readonly job: JobName; readonly claim: Claim }[]): Promise<ReadonlySet<string>> {
    const rows = await this.#sql<{ id: string; retry_count: number }[]>`
      update pgboss.job as job set heartbeat_on = now()
      from unnest(
        ${claims.map(({ job }) => queueName(job))}::text[],
        ${claims.map(({ claim }) => claim.id)}::uuid[],
        ${claims.map(({ claim }) => claim.retryCount)}::int[]
      ) as own(name, id, retry_count)
      where job.name = own.name and job.id = own.id and job.state = 'active' and job.retry_count = own.retry_count
      returning job.id, job.retry_count`
    return new Set(rows.map(({ id, retry_count }) => claimName({ id, retryCount: retry_count })))
  }

  /** Which of these jobs have work that is due. */
  async due(jobs: readonly JobName[]): Promise<readonly string[]> {
    const rows = await this.#sql<{ name: string }[]>`
      select queue.name from unnest(${jobs.map(queueName)}::text[]) as queue(name)
      where exists (
        select 1 from pgboss.job as job
        where job.name = queue.name and job.state < 'active' and not job.blocked and job.start_after <= now())`
    return rows.map(({ name }) => name)
  }

  /** Runs whose process has not been heard of for so many seconds. */
  async lost(
    jobs: readonly JobName[],
    seconds: number,
  ): Promise<readonly (Pick<Claim, 'id' | 'retryCount'> & { queue: string })[]> {
    const rows = await this.#sql<{ name: string; id: string; retry_count: number }[]>`
      select name, id, retry_count from pgboss.job
      where name = any(${jobs.map(queueName)}::text[]) and state = 'active'
        and heartbeat_on < now() - make_interval(secs => ${seconds}) limit 1000`
    return rows.map(({ name, id, retry_count }) => ({ queue: name, id, retryCount: retry_count }))
  }

  /** How much waits, by queue; counted up to `most`. */
  async waiting(jobs: readonly JobName[], most: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#sql<{ name: string; waiting: number }[]>`
      select queue.name, (
        select count(*)::int from (
          select from pgboss.job as job where job.name = queue.name and job.state < 'active' limit ${most}
        ) as counted
      ) as waiting
      from unnest(${jobs.map(queueName)}::text[]) as queue(name)`
    return new Map(rows.map(({ name, waiting }) => [name, waiting]))
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false })
  }
}

/** Lets pg-boss write in a transaction of ours. */
const within = (tx: SqlOrTransaction) => ({
  executeSql: async (text: string, values: readonly unknown[] = []) => ({
    rows: await tx.unsafe(text, values.map(parameter), { prepare: true }),
  }),
})

/** pg-boss writes with text, and lists of it. */
function parameter(value: unknown): string | string[] {
  return Array.isArray(value) ? value.map(String) : String(value)
}

/** What pg-boss answers, beyond what its types tell: which runs it has changed. */
const Settled = z.object({ settled: z.array(z.string()) })
const Changed = z.object({ affected: z.int() })

const isDone = (answer: object): boolean => Changed.parse(answer).affected === 1
