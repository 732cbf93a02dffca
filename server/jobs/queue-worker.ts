import type { Log } from '../plugin/host.ts'
import { atMost } from './at-most.ts'
import { Completions } from './completions.ts'
import type { RunnableJob } from './declared.ts'
import { JobError } from './errors.ts'
import { insist } from './insist.ts'
import type { JobMeter } from './metrics.ts'
import { type Outcome, Run, runError } from './run.ts'
import { type Claim, claimName, type RunStore } from './run-store.ts'

export interface QueueWorkerOptions {
  readonly store: RunStore
  readonly meter: JobMeter
  readonly log: Log
  /** How long a run may take to end after an abort, in milliseconds. */
  readonly graceMs: number
}

/** Runs claimed by one statement, at most. */
const MOST_CLAIMED = 100

/** How long a stop waits for outcomes to be written. */
const WRITTEN_WITHIN_MS = 5_000

interface Running {
  readonly claim: Claim
  /** By performance.now(), before the database was asked. */
  readonly claimedAt: number
  readonly run: Run
  /** Resolves when the outcome is written. */
  readonly settled: Promise<void>
}

/**
 * Works off one job's runs on this node, as many at a time as the job's concurrency. It takes new ones when it is woken
 * and when one has ended.
 */
export class QueueWorker {
  readonly job: RunnableJob
  readonly #options: QueueWorkerOptions
  readonly #log: Log
  readonly #completions: Completions
  readonly #running = new Map<string, Running>()
  /** Runs whose code goes on; the others wait for their outcome to be written. */
  #active = 0
  /** Runs that were given up, and whose code still goes on. */
  #ignoring = 0
  #isStopping = false
  #claiming: Promise<void> | undefined
  #again = false

  constructor(job: RunnableJob, options: QueueWorkerOptions) {
    this.job = job
    this.#options = options
    this.#log = options.log.child({ plugin: job.plugin, job: job.name })
    this.#completions = new Completions((claims) => options.store.complete(job, claims))
  }

  /** The runs that go on, for the heartbeat. */
  get running(): readonly { readonly job: RunnableJob; readonly claim: Claim; readonly claimedAt: number }[] {
    return [...this.#running.values()].map(({ claim, claimedAt }) => ({ job: this.job, claim, claimedAt }))
  }

  /** Says that there may be work. Cheap, and may be called as often as one likes. */
  wake(): void {
    this.#again = true
    if (this.#claiming !== undefined || this.#isStopping) return
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = undefined
      if (this.#again) this.wake()
    })
  }

  /** Ends a run whose claim is no longer ours. */
  lose(claim: Claim): void {
    const problem = 'the run belongs to another process now: this one was not heard of for too long'
    this.#running.get(claimName(claim))?.run.abort(new JobError('JOB_LOST', this.job, problem))
  }

  /** Resolves when nothing is claimed or running. */
  async idle(): Promise<void> {
    while (this.#claiming !== undefined || this.#running.size > 0) {
      await this.#claiming
      await Promise.all([...this.#running.values()].map(({ settled }) => settled))
    }
  }

  /** Takes no new runs; gives those that go on so long to end, and puts the rest back. Never throws. */
  async drain(ms: number): Promise<void> {
    this.#isStopping = true
    if (await atMost(ms, this.idle())) return
    for (const { run } of this.#running.values())
      run.abort(new JobError('NODE_STOPS', this.job, 'the node stops; the run is done again later'))
    if (await atMost(this.#options.graceMs + WRITTEN_WITHIN_MS, this.idle())) return
    this.#log.error(
      'the database does not answer, so runs cannot be put back; they are done again when they are missed',
    )
  }

  async #claim(): Promise<void> {
    const { store } = this.#options
    while (this.#again && !this.#isStopping) {
      // Many short runs end in the same moment: their places are filled by one statement.
      await new Promise(setImmediate)
      const free = Math.min(this.#free(), MOST_CLAIMED)
      // Whoever ends wakes it again.
      if (free <= 0) {
        this.#again = false
        return
      }
      this.#again = false
      try {
        const claimedAt = performance.now()
        const claims = await store.claim(this.job, free)
        for (const claim of claims) this.#start(claim, claimedAt)
        if (claims.length === free) this.#again = true
      } catch (error) {
        this.#log.warn({ error }, 'no runs can be taken now; trying again')
        return
      }
    }
  }

  /**
   * A run has a place while its code goes on: the next is taken while its outcome is being written. Code that ignores its
   * abort must neither stop its job for good nor grow without bound: it keeps no place, until as many have gathered as the
   * job has places.
   */
  #free(): number {
    const { concurrency } = this.job
    return Math.min(concurrency - this.#active, 2 * concurrency - this.#running.size - this.#ignoring)
  }

  #start(claim: Claim, claimedAt: number): void {
    const { graceMs, meter } = this.#options
    const begun = performance.now()
    const run = new Run(this.job, { data: claim.data, attempt: claim.retryCount + 1 }, { graceMs })
    this.#active++
    const settled = run.outcome.then(async (outcome) => {
      this.#active--
      this.wake()
      meter.ran(this.job, outcome.kind, (performance.now() - begun) / 1000)
      if ('ignored' in outcome) this.#ignore(run, claim)
      await this.#settle(claim, outcome)
      this.#running.delete(claimName(claim))
      this.wake()
    })
    this.#running.set(claimName(claim), { claim, claimedAt, run, settled })
    // A run that was claimed while the node began to stop.
    if (this.#isStopping) run.abort(new JobError('NODE_STOPS', this.job, 'the node stops; the run is done again later'))
  }

  #ignore(run: Run, { id }: Claim): void {
    const { plugin, name } = this.job
    this.#ignoring++
    void run.ended.then(() => {
      this.#ignoring--
      this.wake()
    })
    this.#log.error(
      { code: 'JOB_IGNORES_ABORT', run: id },
      `plugin "${plugin}", job "${name}": a run does not end though its signal has aborted, and is given up; ` +
        'pass the signal on to what it waits for, or look at signal.aborted in its loops',
    )
  }

  /** Writes how it came out. If the database is away for long, the run is lost, and done again by whoever finds it. */
  async #settle(claim: Claim, outcome: Outcome): Promise<void> {
    const { store } = this.#options
    const tell = { run: claim.id, attempt: claim.retryCount + 1 }
    try {
      switch (outcome.kind) {
        case 'done': {
          if (!(await this.#completions.add(claim))) this.#log.warn(tell, 'a run ended that was lost')
          return
        }
        case 'failed': {
          const then = claim.triesLeft > 0 ? 'it is tried again' : 'it was the last try'
          this.#log.warn({ ...tell, error: outcome.error }, `a run failed; ${then}`)
          await insist(() => store.fail(this.job, claim, runError(outcome.error)))
          return
        }
        case 'stopped':
          this.#log.info(tell, 'a run was put back, because the node stops')
          await insist(() => store.giveBack(this.job, claim))
          return
        case 'lost':
          this.#log.warn(tell, 'a run was taken over by another process')
      }
    } catch (error) {
      this.#log.error({ ...tell, error }, 'the outcome of a run cannot be written; it is done again')
    }
  }
}
