import { z } from 'zod'
import { type Builder, keysetCursor, pageCost, resolvePage, type SchemaPart } from '../../schema/index.ts'
import type { AuditLog } from '../auth/audit.ts'
import type { JOB_STATUSES, JobEntry } from './job-entry.ts'
import type { JobList, RetryRefusal } from './job-list.ts'
import type { Place } from './run-list.ts'

type Retried = { readonly kind: 'retried'; readonly job: JobEntry }
type NotRetried = { readonly kind: 'refused'; readonly code: RetryRefusal; readonly message: string }

const REFUSALS: Readonly<Record<RetryRefusal, string>> = {
  JOB_NOT_FOUND: 'There is no such run. Pass the id of a run as `jobs` gives it; old runs are forgotten.',
  JOB_NOT_FAILED: 'The run has not failed; only failed runs are retried.',
  JOB_KEY_TAKEN: 'Other work of the same key waits or runs. Retry when it is done.',
}

const CURSOR = keysetCursor<JobEntry, readonly [number, string]>(
  'job',
  z.tuple([z.int().min(0), z.string().max(200)]).readonly(),
  ({ createdMicros, id }) => [createdMicros, id],
)

/** The list of jobs, and what an operator does to them. Both functions are called in resolvers only. */
export function jobsSchema(list: () => JobList, audit: () => AuditLog): SchemaPart {
  return {
    owner: 'core',
    define(builder) {
      const status = defineStatus(builder)
      const job = defineJob(builder, status)
      defineList(builder, job, status, list)
      defineRetry(builder, job, list, audit)
    },
  }
}

type JobRef = ReturnType<typeof defineJob>
type StatusRef = ReturnType<typeof defineStatus>

function defineJob(builder: Builder, status: StatusRef) {
  const kind = builder.enumType('JobKind', {
    description: 'What makes a job run.',
    values: {
      CRON: { description: 'Runs at times of the clock.' },
      QUEUE: { description: 'Works off what was put in.' },
      CONTINUOUS: { description: 'Runs all the time.' },
    } as const satisfies Record<JobEntry['kind'], object>,
  })
  const error = builder.objectRef<NonNullable<JobEntry['error']>>('JobFailure').implement({
    description: 'Why a try failed.',
    fields: (t) => ({
      message: t.exposeString('message', { nullable: false, description: 'What it said.' }),
      code: t.exposeString('code', { description: 'If the error had one.' }),
    }),
  })
  return builder.objectRef<JobEntry>('Job').implement({
    description:
      'One run of a cron or queue job; a cron job as it waits for its next time; or a continuous job on this node.',
    fields: (t) => ({
      id: t.exposeID('id', { nullable: false, description: 'Of the run, as `retryJob` takes it.' }),
      plugin: t.exposeString('plugin', { nullable: false, description: 'Whose job it is.' }),
      name: t.exposeString('name', { nullable: false, description: "In its plugin's words." }),
      kind: t.field({ type: kind, nullable: false, description: 'What makes it run.', resolve: (entry) => entry.kind }),
      status: t.field({
        type: status,
        nullable: false,
        description: 'How far it is.',
        resolve: (entry) => entry.status,
      }),
      attempt: t.exposeInt('attempt', { nullable: false, description: '1 for the first; 0 before it.' }),
      attempts: t.exposeInt('attempts', { description: 'Tries in all; null if there is no end.' }),
      error: t.field({ type: error, description: 'Why the last try failed.', resolve: (entry) => entry.error }),
      data: t.expose('data', { type: 'JSON', description: 'What a queue job was told.' }),
      key: t.exposeString('key', { description: 'Of the work with one key, one waits or runs at a time.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was asked for.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'Of the last try.' }),
      finishedAt: t.expose('finishedAt', { type: 'DateTime', description: 'When it came to its end.' }),
      nextRunAt: t.expose('nextRunAt', { type: 'DateTime', description: 'For one that waits: when it is due.' }),
    }),
  })
}

const defineStatus = (builder: Builder) =>
  builder.enumType('JobStatus', {
    description: 'How far a run is.',
    values: {
      WAITING: { description: 'For its turn or its time.' },
      RETRYING: { description: 'It failed, and waits for the next try.' },
      RUNNING: { description: 'It is at work, on some node.' },
      DONE: { description: 'It ended well.' },
      FAILED: { description: 'The last try failed. `retryJob` gives it one more.' },
      CANCELLED: { description: 'It was taken back before it ran to its end.' },
      SCHEDULED: { description: 'A cron job that waits for its next time.' },
      STANDBY: { description: 'A continuous job that another node leads.' },
      STUCK: { description: 'A continuous job that does not end though it was asked to.' },
      EXCLUDED: { description: 'A continuous job that this node may not run.' },
      STOPPED: { description: 'A continuous job that was ended with its plugin.' },
    } as const satisfies Record<(typeof JOB_STATUSES)[number], object>,
  })

function defineList(builder: Builder, job: JobRef, statusType: StatusRef, list: () => JobList): void {
  const connection = builder.connectionOf(job)
  builder.queryField('jobs', (t) =>
    t.field({
      type: connection,
      nullable: false,
      description:
        'What plugins do by themselves, newest first. Finished runs are kept for 3 days, failed ones for 30.',
      authScopes: { scope: 'jobs:read' },
      args: {
        plugin: t.arg.string({ description: 'Of this plugin only.' }),
        status: t.arg({ type: statusType, description: 'Only these; FAILED: what an operator looks after.' }),
        ...builder.forwardPageArgs,
      },
      complexity: pageCost,
      resolve: (_root, { plugin, status, ...page }) =>
        resolvePage(page, CURSOR, ({ after, limit }) =>
          list().page({ plugin: plugin ?? undefined, status: status ?? undefined }, placeOf(after), limit),
        ),
    }),
  )
}

const placeOf = (key: readonly [number, string] | undefined): Place | undefined =>
  key === undefined ? undefined : { createdMicros: key[0], id: key[1] }

function defineRetry(builder: Builder, job: JobRef, list: () => JobList, audit: () => AuditLog): void {
  const retried = builder.objectRef<Retried>('JobRetried').implement({
    description: 'The run has one more try, at once.',
    fields: (t) => ({
      job: t.field({ type: job, nullable: false, description: 'As it stands now.', resolve: (outcome) => outcome.job }),
    }),
  })
  const refused = builder.objectRef<NotRetried>('JobNotRetried').implement({
    description: `Codes: ${Object.keys(REFUSALS).join(', ')}.`,
    interfaces: [builder.userError],
  })
  const result = builder.unionType('RetryJobResult', {
    description: 'What came of `retryJob`.',
    types: [retried, refused],
    resolveType: (outcome) => (outcome.kind === 'retried' ? 'JobRetried' : 'JobNotRetried'),
  })
  builder.mutationField('retryJob', (t) =>
    t.field({
      type: result,
      nullable: false,
      description: 'Gives a failed run one more try.',
      authScopes: { scope: 'jobs:write' },
      args: { id: t.arg.id({ required: true, description: 'Of a run that has failed.' }) },
      resolve: async (_root, { id }, { principal }): Promise<Retried | NotRetried> => {
        const entry = { action: 'retryJob', target: id.slice(0, 200) }
        const outcome = await list().retry(id, (tx) => audit().record(tx, principal, entry))
        if (typeof outcome !== 'string') return { kind: 'retried', job: outcome }
        await audit().refused(principal, { ...entry, code: outcome })
        return { kind: 'refused', code: outcome, message: REFUSALS[outcome] }
      },
    }),
  )
}
