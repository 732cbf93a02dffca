import type { IncomingMessage, ServerResponse } from 'node:http'
import { GraphQLError } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Principal } from '../../schema/index.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Log } from '../plugin.ts'
import { type Asked, contextOf, statusOf } from './ask.ts'
import { httpStatusOf, retryAfterOf } from './authenticate.ts'
import type { Engine } from './engine.ts'
import { publicError } from './mask.ts'
import { outcomeOf } from './outcome.ts'
import type { RequestContext } from './request-context.ts'
import type { Requests } from './requests.ts'
import type { Holders } from './share.ts'

interface ServerContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly exchange: Exchange
  /** Known before anything is read. */
  readonly principal: Principal
  /** Whom its subscription is counted for. */
  readonly holders: Holders
  /** Read before yoga is called. */
  readonly asked: Asked
}

interface UserContext {
  readonly deaios: RequestContext
}

type YogaContext = ServerContext & UserContext

/** General HTTP: GET, server-sent events, content negotiation. It runs operations by the same engine as the hot path. */
export function makeYoga(engine: Engine, requests: Requests, log: Log): YogaServerInstance<ServerContext, UserContext> {
  return createYoga<ServerContext, UserContext>({
    schema: engine.schema,
    graphqlEndpoint: '/graphql',
    context: ({ asked, principal, holders, req, res, exchange }) => {
      const context = contextOf(asked, principal, exchange, req)
      context.holders = holders
      requests.add(context, res)
      return { deaios: context }
    },
    maskedErrors: { maskError: (error) => publicError(error, 'http', log) },
    // The body has been read by then.
    maxRequestBodySize: false,
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
function useEngine(engine: Engine, requests: Requests): Plugin<YogaContext, ServerContext> {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      const { variables, operationName, extensions } = serverContext.asked.params
      // Yoga wants a text; the document has been found.
      setRequestParser(() => ({
        query: NAMED,
        ...(variables == null ? {} : { variables }),
        ...(operationName == null ? {} : { operationName }),
        ...(extensions == null ? {} : { extensions }),
      }))
    },
    onParse({ context: { asked }, setParsedDocument }) {
      const { operation } = asked
      if (!('node' in operation)) throw new AggregateError(withStatus(operation))
      setParsedDocument(operation.document)
    },
    // Done when the document was found.
    onValidate: ({ setResult }) => setResult([]),
    onExecute({ args: { contextValue, variableValues }, setExecuteFn }) {
      setExecuteFn(async () => {
        const { asked, deaios, exchange } = contextValue
        const { operation } = asked
        if (!('node' in operation)) return { errors: operation }
        exchange.operation = operation.name ?? operation.node.operation
        const result = await engine.interpret(operation, variableValues, deaios)
        exchange.outcome = outcomeOf(result)
        return result
      })
    },
    onSubscribe({ args: { contextValue, variableValues }, setSubscribeFn }) {
      setSubscribeFn(async () => {
        const { asked, deaios } = contextValue
        if (!('node' in asked.operation)) return { errors: asked.operation }
        requests.isStream(deaios)
        return engine.subscribe(asked.operation, variableValues, deaios)
      })
    },
  }
}

const NAMED = '{ __typename }'

/** The errors, with the status for yoga to answer with; it takes it out of what the client sees. */
function withStatus(errors: readonly GraphQLError[]): readonly GraphQLError[] {
  const status = statusOf(errors)
  if (status === 200) return errors
  return errors.map(
    (error) => new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status } } }),
  )
}

/** Refuses a request for whom it comes from, with the status and headers for yoga to answer with. */
export function refusedFor(error: GraphQLError): Asked {
  const retryAfter = retryAfterOf(error)
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
  const http = { status: httpStatusOf(error), headers }
  return { params: {}, operation: [new GraphQLError(error.message, { extensions: { ...error.extensions, http } })] }
}
