import type { IncomingMessage, ServerResponse } from 'node:http'
import { GraphQLError } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Principal } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Log } from '../plugin.ts'
import { type Authenticate, credentialsOf, httpStatusOf } from './authenticate.ts'
import type { Engine, GraphqlParams } from './engine.ts'
import type { Limits } from './limits.ts'
import { publicError } from './mask.ts'
import { outcomeOf } from './outcome.ts'
import { RequestContext } from './request-context.ts'
import type { Requests } from './requests.ts'

interface ServerContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly exchange: Exchange
}

interface UserContext {
  readonly deaios: RequestContext
}

type YogaContext = ServerContext & UserContext & { readonly params: GraphqlParams }

/** General HTTP: GET, server-sent events, content negotiation. It runs operations by the same engine as the hot path. */
export function makeYoga(
  engine: Engine,
  requests: Requests,
  limits: Limits,
  authenticate: Authenticate,
  log: Log,
): YogaServerInstance<ServerContext, UserContext> {
  return createYoga<ServerContext, UserContext>({
    schema: engine.schema,
    graphqlEndpoint: '/graphql',
    context: async ({ params, req, res, exchange }) => {
      const context = new RequestContext(params.extensions ?? {}, await principalOf(req, authenticate), exchange)
      requests.add(context, res)
      return { deaios: context }
    },
    maskedErrors: { maskError: (error) => publicError(error, 'http', log) },
    maxRequestBodySize: limits.bodyBytes,
    plugins: [useEngine(engine, requests)],
    parserAndValidationCache: false,
    logging: false,
    batching: false,
    multipart: false,
    graphiql: false,
    landingPage: false,
    // The server in front decides about other origins.
    cors: false,
  })
}

/** Puts the engine's checks and its executor in the place of yoga's. */
function useEngine(engine: Engine, requests: Requests): Plugin<YogaContext> {
  const operationOf = ({ params }: YogaContext) => engine.resolve(params)
  return {
    onParams({ params: { query } }) {
      if (typeof query === 'string') return
      throw new GraphQLError('`query` must be a string.', {
        extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
      })
    },
    onParse({ params, setParsedDocument }) {
      const prepared = engine.documents.prepare(String(params.source))
      if (!prepared.ok) throw new AggregateError(prepared.errors)
      setParsedDocument(prepared.value.document)
    },
    // Done by `prepare`.
    onValidate: ({ setResult }) => setResult([]),
    onExecute({ args, setExecuteFn }) {
      const { contextValue, variableValues } = args
      setExecuteFn(async () => {
        const operation = operationOf(contextValue)
        if (!('node' in operation)) return { errors: operation }
        const { deaios, exchange } = contextValue
        const result = await engine.interpret(operation, variableValues, deaios)
        exchange.operation = operation.name ?? operation.node.operation
        exchange.outcome = outcomeOf(result)
        return result
      })
    },
    onSubscribe({ args, setSubscribeFn }) {
      const { contextValue, variableValues } = args
      setSubscribeFn(async () => {
        const operation = operationOf(contextValue)
        if (!('node' in operation)) return { errors: operation }
        requests.isStream(contextValue.deaios)
        return engine.subscribe(operation, variableValues, contextValue.deaios)
      })
    },
  }
}

async function principalOf(request: IncomingMessage, authenticate: Authenticate): Promise<Principal> {
  try {
    return await authenticate(credentialsOf(request))
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    throw new GraphQLError(error.message, {
      extensions: { ...error.extensions, http: { status: httpStatusOf(error) } },
    })
  }
}
