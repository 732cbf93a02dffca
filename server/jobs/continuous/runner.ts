import { messageOf } from '../../db/errors.ts'
import { pause } from '../../pause.ts'
import type { Clock, Log } from '../../plugin/host.ts'
import { leaseName } from '../fence.ts'
import type { Lease } from '../lease.ts'
import type { Leases } from '../leases.ts'
import type { StandingJob } from './standing-job.ts'
import type { ContinuousState } from './state.ts'

/** How long a run may take to end after its signal has aborted. */
const END_MS = 10_000
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 60_000
/** A run that lasted so long did well: the next failure is a first one again. */
const WELL_MS = 60_000

export interface RunnerParts {
  readonly job: StandingJob
  /** Joins the nodes that share the database, if that was not done yet. */
  readonly leases: () => Promise<Leases>
  readonly node: string
  readonly clock: Clock
  readonly log: Log
  /** How long a run may take to end, in milliseconds; 10 s if absent. */
  readonly endMs?: number
}

type Mutable = { -readonly [K in keyof ContinuousState]: ContinuousState[K] }

/**
 * One continuous job on this node: a replica runs all the time, a leader while it holds the lease. A run that ends by
 * itself is followed by another after a pause that grows; a leader gives its lease back in between, so that another
 * node can do better.
 */
export class ContinuousRunner {
  readonly #parts: RunnerParts
  readonly #log: Log
  readonly #stopping = new AbortController()
  readonly #state: Mutable
  readonly #done: Promise<void>

  constructor(parts: RunnerParts) {
    const { plugin, name, scope } = parts.job
    const { node, clock } = parts
    this.#parts = parts
    this.#log = parts.log.child({ plugin, job: name })
    this.#state = {
      id: `${plugin}/${name}@${node}`,
      plugin,
      name,
      scope,
      status: scope === 'leader' ? 'standby' : 'waiting',
      attempt: 1,
      fence: 0n,
      error: null,
      createdAt: clock.now(),
      startedAt: null,
      nextRunAt: null,
    }
    this.#done = this.#live()
  }

  get #what(): string {
    const { plugin, name } = this.#parts.job
    return `job "${name}" of plugin "${plugin}"`
  }

  get state(): ContinuousState {
    return { ...this.#state }
  }

  /** Aborts the run and waits for its end, 10 s at most; gives the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node stops'))
    await this.#done
    this.#state.status = 'stopped'
  }

  async #live(): Promise<void> {
    const { job, clock } = this.#parts
    const { signal } = this.#stopping
    try {
      if (!(await job.eligible())) {
        this.#state.status = 'excluded'
        return
      }
    } catch (error) {
      this.#fail('JOB_FAILED', error, `${this.#what} could not tell whether it may run here`)
      this.#state.status = 'excluded'
      return
    }
    let wait = 0
    while (!signal.aborted) {
      const started = performance.now()
      const end = job.scope === 'leader' ? await this.#lead() : await this.#run(0n, signal)
      if (signal.aborted) return
      if (end === 'lost') {
        // Not the job's fault: it stands by at once.
        wait = 0
        continue
      }
      const didWell = performance.now() - started > WELL_MS
      wait = didWell || wait === 0 ? FIRST_PAUSE_MS : Math.min(2 * wait, MAX_PAUSE_MS)
      this.#state.attempt = didWell ? 2 : this.#state.attempt + 1
      this.#state.status = 'waiting'
      this.#state.nextRunAt = clock.now() + wait
      await pause(wait, signal)
      this.#state.nextRunAt = null
    }
  }

  /** One term of office: from taking the lease to its end. */
  async #lead(): Promise<'ended' | 'lost'> {
    const { job, leases } = this.#parts
    this.#state.status = 'standby'
    let lease: Lease | undefined
    try {
      lease = await (await leases()).take(leaseName(job.plugin, job.name), this.#stopping.signal)
    } catch (error) {
      this.#fail('JOB_FAILED', error, `${this.#what} cannot stand for election; it is tried again`)
      return 'ended'
    }
    if (lease === undefined) return 'lost'
    this.#state.fence = lease.fence
    this.#log.info({ fence: String(lease.fence) }, `this node leads ${lease.name}`)
    const end = await this.#run(lease.fence, AbortSignal.any([this.#stopping.signal, lease.signal]), lease)
    const isLost = lease.signal.aborted
    // The lease is kept alive until the run has ended. One that does not end keeps nobody else from leading.
    if (end === 'stuck') lease.abandon()
    else await lease.release()
    if (isLost) this.#log.warn({ code: 'LEASE_LOST' }, `this node leads ${lease.name} no more: ${reasonOf(lease)}`)
    return isLost ? 'lost' : 'ended'
  }

  /** One run, until it has ended. `stuck` comes only from a stop; otherwise a run that does not end is waited for. */
  async #run(fence: bigint, signal: AbortSignal, lease?: Lease): Promise<'ended' | 'stuck'> {
    const { job, clock, endMs = END_MS } = this.#parts
    const state = this.#state
    state.status = 'running'
    state.startedAt = clock.now()
    const what = this.#what
    const running = Promise.try(() => job.run({ signal, fence, attempt: state.attempt, data: undefined })).then(
      () => {
        if (!signal.aborted) this.#fail('JOB_RETURNED', undefined, `${what} returned; it is started again`)
      },
      (error: unknown) => {
        // What a run says of being aborted is no failure.
        if (!signal.aborted) this.#fail('JOB_FAILED', error, `${what} failed; it is started again`)
      },
    )
    const ended = running.then(() => 'ended' as const)
    const over = new AbortController()
    const late = aborted(signal, over.signal).then(async () => {
      await pause(endMs, over.signal)
      return over.signal.aborted ? ended : ('stuck' as const)
    })
    const end = await Promise.race([ended, late])
    over.abort()
    if (end === 'ended') return end
    state.status = 'stuck'
    const fenced = lease === undefined ? '' : ' Another node leads; what this run writes under its fence is refused.'
    this.#fail('JOB_STUCK', undefined, `${what} goes on ${endMs / 1000} s after its signal aborted.${fenced}`)
    if (this.#stopping.signal.aborted) return 'stuck'
    // Two runs in one process would be two leaders: this node is no candidate until the run has ended.
    await Promise.race([running, aborted(this.#stopping.signal)])
    return this.#stopping.signal.aborted ? 'stuck' : 'ended'
  }

  #fail(code: 'JOB_FAILED' | 'JOB_RETURNED' | 'JOB_STUCK', error: unknown, message: string): void {
    this.#state.error = error === undefined ? message : messageOf(error)
    this.#log.error({ code, ...(error === undefined ? {} : { error }) }, message)
  }
}

const reasonOf = (lease: Lease): string => messageOf(lease.signal.reason)

/** Resolves when one of the signals aborts. */
function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const any = AbortSignal.any([...signals])
    if (any.aborted) resolve()
    else any.addEventListener('abort', () => resolve(), { once: true })
  })
}
