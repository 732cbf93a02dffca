import type { IncomingMessage } from 'node:http'
import { GraphQLError } from 'graphql'
import { ANONYMOUS, type Principal } from '../../schema/index.ts'

/** What a client shows of itself. */
export interface Credentials {
  /** As in the header: `Bearer dk_...`. For WebSockets, `authorization` of the connection's parameters, if given. */
  readonly authorization: string | undefined
  /** Where the connection comes from. */
  readonly address: string
  /** The header X-Forwarded-For: what anybody can write, unless the operator's own proxy stands before the node. */
  readonly forwarded?: string | undefined
}

/**
 * Tells who a client is. Throws a GraphQL error UNAUTHENTICATED for credentials that are not good, rather than taking
 * their bearer for anonymous.
 */
export type Authenticate = (credentials: Credentials) => Principal | Promise<Principal>

/** Names the client that something is counted for, by where it comes from; undefined for nobody. */
export type ClientOf = (credentials: Credentials) => string | undefined

/** Takes everybody for anonymous. */
export const everybodyIsAnonymous: Authenticate = () => ANONYMOUS

/** Who a client is, or why it is refused. Rejects with whatever else goes wrong. */
export async function identify(
  authenticate: Authenticate,
  credentials: Credentials,
): Promise<Principal | GraphQLError> {
  try {
    return await authenticate(credentials)
  } catch (error) {
    if (error instanceof GraphQLError) return error
    throw error
  }
}

export const credentialsOf = ({ headers, socket }: IncomingMessage): Credentials => ({
  authorization: headers.authorization,
  address: socket.remoteAddress ?? '',
  forwarded: forwardedOf(headers['x-forwarded-for']),
})

/** Node joins repeated headers of this name by itself; its type does not know. */
const forwardedOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header

/** The header Retry-After of somebody who asked too often; undefined for all others. */
export const retryAfterOf = ({ extensions }: GraphQLError): string | undefined =>
  extensions.code === 'RATE_LIMITED' ? String(extensions.retryAfter ?? 1) : undefined

/** The status of a request that was refused for whom it comes from. */
export const httpStatusOf = ({ extensions }: GraphQLError): number =>
  extensions.code === 'UNAUTHENTICATED' ? 401 : extensions.code === 'RATE_LIMITED' ? 429 : 503
