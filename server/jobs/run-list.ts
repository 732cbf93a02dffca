import { z } from 'zod'
import type { Sql } from '../plugin/sql.ts'
import { fromStored } from './data.ts'
import { parseQueueName } from './declared.ts'
import { JOB_STATUSES, type JobEntry, type JobStatus } from './job-entry.ts'
import { CRON_KEY, keyOf } from './keys.ts'

/** Where a page begins: behind this place, exclusive. */
export interface Place {
  readonly createdMicros: number
  readonly id: string
}

export interface RunFilter {
  readonly plugin: string | undefined
  readonly status: JobStatus | undefined
}

/** pg-boss's names. */
const STATES = {
  WAITING: 'created',
  RETRYING: 'retry',
  RUNNING: 'active',
  DONE: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
} as const satisfies Partial<Record<JobStatus, string>>

const isRunStatus = (status: JobStatus): status is keyof typeof STATES => status in STATES

const STATUSES: ReadonlyMap<string, JobStatus> = new Map(
  JOB_STATUSES.flatMap((status) => (isRunStatus(status) ? [[STATES[status], status]] : [])),
)

interface Row {
  readonly name: string
  readonly id: string
  readonly state: string
  readonly data: unknown
  readonly output: unknown
  readonly singleton_key: string | null
  readonly retry_count: number
  readonly retry_limit: number
  readonly created_on: Date
  readonly created_micros: bigint
  readonly started_on: Date | null
  readonly completed_on: Date | null
  readonly start_after: Date
}

/** What is kept of a failure, by us or by pg-boss itself. */
const Output = z.object({ message: z.string(), code: z.string().nullish() })
const Wrapped = z.object({ value: Output }).transform(({ value }) => value)
const Data = z.object({ value: z.unknown() })

/** The runs that are kept, newest first: of all jobs that ever were, so that what a removed plugin left is seen too. */
export async function listRuns(
  sql: Sql,
  { plugin, status }: RunFilter,
  after: Place | undefined,
  limit: number,
): Promise<readonly JobEntry[]> {
  if (status !== undefined && !isRunStatus(status)) return []
  const ofPlugin = plugin === undefined ? sql`true` : sql`starts_with(queue.name, ${`${plugin}/`})`
  const ofState = status === undefined ? sql`true` : sql`job.state = ${STATES[status]}::pgboss.job_state`
  // A time of a row is a whole number of microseconds, so that nothing is lost on the way.
  const time =
    after === undefined ? sql`'infinity'` : sql`to_timestamp(0) + ${after.createdMicros} * interval '1 microsecond'`
  const behind =
    after === undefined
      ? sql`true`
      : sql`(job.created_on < ${time} or (job.name || '/' || job.id::text) collate "C" < ${after.id})`
  const rows = await sql<Row[]>`
    select run.*, (extract(epoch from run.created_on) * 1000000)::bigint as created_micros
    from pgboss.queue as queue cross join lateral (
      select name, id, state, data, output, singleton_key, retry_count, retry_limit,
        created_on, started_on, completed_on, start_after
      from pgboss.job as job
      where job.name = queue.name and job.created_on <= ${time} and ${ofState} and ${behind}
      order by job.created_on desc, job.id desc limit ${limit}
    ) as run
    where ${ofPlugin}
    order by run.created_on desc, (run.name || '/' || run.id::text) collate "C" desc limit ${limit}`
  return rows.map(entryOf)
}

/** One run; undefined if there is none. */
export async function findRun(sql: Sql, queue: string, id: string): Promise<JobEntry | undefined> {
  const rows = await sql<Row[]>`
    select name, id, state, data, output, singleton_key, retry_count, retry_limit,
      created_on, started_on, completed_on, start_after,
      (extract(epoch from created_on) * 1000000)::bigint as created_micros
    from pgboss.job where name = ${queue} and id = ${id}`
  return rows.map(entryOf)[0]
}

function entryOf(row: Row): JobEntry {
  const { plugin, name } = parseQueueName(row.name)
  const status = STATUSES.get(row.state) ?? 'WAITING'
  const waits = status === 'WAITING' || status === 'RETRYING'
  const kept = status === 'DONE' ? undefined : Output.or(Wrapped).safeParse(row.output).data
  const data = Data.safeParse(row.data).data
  return {
    id: `${row.name}/${row.id}`,
    plugin,
    name,
    kind: row.singleton_key === CRON_KEY ? 'CRON' : 'QUEUE',
    status,
    attempt: row.started_on === null && row.retry_count === 0 && waits ? 0 : row.retry_count + 1,
    attempts: row.retry_limit + 1,
    error: kept === undefined ? null : { message: kept.message, code: kept.code ?? null },
    data: data === undefined ? null : fromStored(data.value),
    key: keyOf(row.singleton_key),
    createdAt: row.created_on,
    startedAt: row.started_on,
    finishedAt: row.completed_on,
    nextRunAt: waits ? row.start_after : null,
    createdMicros: Number(row.created_micros),
  }
}
