import type { RequestContext } from './request-context.ts'

/** The header by which a client asks for `extensions.usage`. */
export const USAGE_HEADER = 'x-deaios-usage'

/** What a request has used, as `extensions.usage` tells it. */
export interface Usage {
  /** As it is held against `network { limits { cost } }`. */
  readonly cost: number
  /** SQL statements that this node's plugins ran for it. */
  readonly statements: number
  /** From its arrival to its answer. */
  readonly milliseconds: number
}

export const usageOf = (cost: number, { statements, startedAt }: RequestContext): Usage => ({
  cost,
  statements,
  milliseconds: Date.now() - startedAt,
})

/** Whether a header asks for it. */
export const wantsUsage = (value: string | readonly string[] | undefined): boolean =>
  value !== undefined && value !== '0' && value !== 'false'
