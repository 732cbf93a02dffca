import { GraphQLInt, GraphQLObjectType, GraphQLSchema, parse } from 'graphql'
import { compileQuery, isCompiledQuery } from 'graphql-jit'

/** The parts of graphql-jit's execution state that settling a value touches. */
interface Execution {
  promiseCounter: number
  resolve?: (execution: Execution) => void
}

type Settle = (value: unknown) => void

/** The functions of the runtime that compiled queries call by name. */
interface Runtime {
  callResolver(execution: Execution, call: () => unknown, done: Settle, failed: Settle): void
  handleResolverResult(execution: Execution, value: unknown, done: Settle, failed: Settle): void
  handleListItemResult(execution: Execution, item: unknown, done: Settle, failed: Settle): void
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))

/**
 * Completes a field. Completing runs foreign code (type resolvers, iterators, getters): if that throws, the field has
 * failed, and is completed with null so that whatever waits for it goes on.
 */
function complete(value: unknown, done: Settle, failed: Settle): void {
  try {
    done(value)
  } catch (error) {
    failed(asError(error))
    done(null)
  }
}

function settle(execution: Execution, promise: PromiseLike<unknown>, done: Settle, failed: Settle): void {
  execution.promiseCounter++
  const finish = () => {
    if (--execution.promiseCounter === 0) execution.resolve?.(execution)
  }
  promise.then(
    (value) => {
      complete(value, done, failed)
      finish()
    },
    (reason: unknown) => {
      failed(asError(reason))
      finish()
    },
  )
}

const safeRuntime: Runtime = {
  callResolver(execution, call, done, failed) {
    let value: unknown
    try {
      value = call()
    } catch (error) {
      failed(asError(error))
      done(null)
      return
    }
    safeRuntime.handleResolverResult(execution, value, done, failed)
  },
  handleResolverResult(execution, value, done, failed) {
    if (isPromise(value)) settle(execution, value, done, failed)
    else complete(value, done, failed)
  },
  handleListItemResult(execution, item, done) {
    // The compiled failure handler appends a null, which lands in the wrong place when items settle out of order.
    // An Error as value is put in the item's own place.
    const failed: Settle = (reason) => done(asError(reason))
    if (isPromise(item)) settle(execution, item, done, failed)
    else complete(item, done, failed)
  },
}

/**
 * Makes graphql-jit's runtime safe. As it comes, an exception while a resolved promise is being completed (a type
 * resolver that throws, for example) is an unhandled rejection and the request never ends; and a rejected item of a
 * list can shift its neighbours.
 * @returns whether that worked: if not, nothing must be compiled
 */
export async function useSafeJitRuntime(): Promise<boolean> {
  // The package's ES module is a shell around its CommonJS files, and only those hold the runtime that is used.
  const file = new URL('./runtime.js', import.meta.resolve('graphql-jit'))
  const { jitRuntime }: { readonly jitRuntime: object } = await import(file.href)
  Object.assign(jitRuntime, safeRuntime)
  return isInUse()
}

/** Whether a compiled query survives what the original runtime does not. */
function isInUse(): boolean {
  const inner = new GraphQLObjectType({
    name: 'Inner',
    isTypeOf: () => {
      throw new Error('probe')
    },
    fields: { n: { type: GraphQLInt } },
  })
  const query = new GraphQLObjectType({ name: 'Query', fields: { inner: { type: inner, resolve: () => ({}) } } })
  const compiled = compileQuery(new GraphQLSchema({ query }), parse('{ inner { n } }'))
  if (!isCompiledQuery(compiled)) return false
  try {
    const result: unknown = compiled.query(undefined, undefined, {})
    return JSON.stringify(result).includes('probe')
  } catch {
    return false
  }
}
