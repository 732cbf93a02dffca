import type { ExecutionResult } from 'graphql'
import type { Tracing } from '../tracing/index.ts'
import type { Operation } from './documents.ts'
import { outcomeOf } from './outcome.ts'
import type { RequestContext } from './request-context.ts'

/** Runs an operation as a span. A client's names in it are cut short, and no variable is in it. */
export function traced(
  tracing: Tracing,
  { name, node }: Operation,
  { requestId, principal, exchange }: RequestContext,
  run: () => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const type = node.operation
  const short = name?.slice(0, 100)
  const attributes = {
    'graphql.operation.type': type,
    'deaios.request_id': requestId,
    'deaios.caller': principal.kind,
    ...(short === undefined ? {} : { 'graphql.operation.name': short }),
  }
  return tracing.run(
    short === undefined ? type : `${type} ${short}`,
    { attributes, parent: exchange?.span },
    async (span) => {
      const result = await run()
      const outcome = outcomeOf(result)
      span.set({ 'deaios.outcome': outcome })
      if (outcome !== 'ok') span.fail(outcome)
      return result
    },
  )
}
