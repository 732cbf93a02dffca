/** One thing wrong with a plugin. */
export interface PluginProblem {
  /** Its name; or, where that is not known, what deaios.config.ts lists. */
  readonly plugin: string
  readonly code: PluginProblemCode
  /** What is wrong. */
  readonly problem: string
  /** How to mend it. */
  readonly mend: string
}

export type PluginProblemCode =
  | 'API_RANGE'
  | 'BOOT_FAILED'
  | 'CONFIG_INVALID'
  | 'DEPENDENCY_CYCLE'
  | 'DEPENDENCY_MISSING'
  | 'DEPENDENCY_RANGE'
  | 'DEPENDENCY_UNDECLARED'
  | 'DUPLICATE_CONTRIBUTION'
  | 'DUPLICATE_JOB'
  | 'DUPLICATE_PLUGIN'
  | 'DUPLICATE_ROUTE'
  | 'DUPLICATE_SERVICE'
  | 'DUPLICATE_TOPIC'
  | 'JOB_INVALID'
  | 'NAME_INVALID'
  | 'NOT_A_PLUGIN'
  | 'NOT_BUILT'
  | 'NOT_FOUND'
  | 'ROUTE_INVALID'
  | 'SECOND_COPY'
  | 'SERVICE_MISSING'
  | 'TOPIC_FOREIGN'
  | 'VERSION_INVALID'

/** The plugins do not fit together: every problem found, at once, each naming the plugin to blame. */
export class PluginError extends Error {
  override readonly name = 'PluginError'
  readonly code = 'PLUGINS_INVALID'
  readonly problems: readonly PluginProblem[]

  constructor(problems: readonly PluginProblem[], cause?: unknown) {
    const lines = problems.map(describeProblem)
    const text = lines.length === 1 ? (lines[0] ?? '') : [`${lines.length} problems`, ...lines].join('\n  ')
    super(text, cause === undefined ? undefined : { cause })
    this.problems = problems
  }
}

export const describeProblem = ({ plugin, problem, mend }: PluginProblem): string =>
  `plugin "${plugin}": ${problem}; ${mend}`

export type HostErrorCode = 'TOO_EARLY' | 'NOT_PROVIDED' | 'NOT_OWNER' | 'PLUGIN_FAILED' | 'HUNG'

/** A plugin asked its host for something that is not there, or did not finish in time. */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostErrorCode

  constructor(code: HostErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
