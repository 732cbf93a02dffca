/** How a continuous job is doing on this node, for the list of jobs. */
export interface ContinuousState {
  /** `<plugin>/<job>@<node>` */
  readonly id: string
  readonly plugin: string
  readonly name: string
  readonly scope: 'leader' | 'replica'
  /**
   * `running`; `standby`: another node leads; `waiting`: it ended, and is started again at `nextRunAt`; `stuck`: its
   * run ignores its aborted signal; `excluded`: it may not run on this node; `stopped`.
   */
  readonly status: 'running' | 'standby' | 'waiting' | 'stuck' | 'excluded' | 'stopped'
  /** Tries since it last did well; 1 for the first. */
  readonly attempt: number
  /** Of the run, for a leader; 0 otherwise. */
  readonly fence: bigint
  /** Why the last run ended, if it should not have. */
  readonly error: string | null
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly startedAt: number | null
  readonly nextRunAt: number | null
}
