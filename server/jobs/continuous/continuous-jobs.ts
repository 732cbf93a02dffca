import type { Clock, Log } from '../../plugin/host.ts'
import { queueName } from '../declared.ts'
import type { Leases } from '../leases.ts'
import { ContinuousRunner } from './runner.ts'
import type { StandingJob } from './standing-job.ts'
import type { ContinuousState } from './state.ts'

export interface ContinuousJobsParts {
  /** Joins the nodes that share the database; called when a leader job begins. */
  readonly leases: () => Promise<Leases>
  /** This node's id. */
  readonly node: string
  readonly clock: Clock
  readonly log: Log
}

/** All continuous jobs of a node. */
export class ContinuousJobs {
  readonly #parts: ContinuousJobsParts
  readonly #runners = new Map<string, ContinuousRunner>()

  constructor(parts: ContinuousJobsParts) {
    this.#parts = parts
  }

  /** Starts a job, if it was not started before. */
  begin(job: StandingJob): void {
    const key = queueName(job)
    if (!this.#runners.has(key)) this.#runners.set(key, new ContinuousRunner({ ...this.#parts, job }))
  }

  /** Ends a plugin's runs, and lets other nodes lead. Never throws. */
  async stop(plugin: string): Promise<void> {
    const own = [...this.#runners.values()].filter(({ state }) => state.plugin === plugin)
    await Promise.all(own.map((runner) => runner.stop()))
  }

  states(): readonly ContinuousState[] {
    return [...this.#runners.values()].map(({ state }) => state)
  }
}
