import { fromHex, signInBytes, toHex } from '../protocol/index.ts'
import { ClientError } from './errors.ts'
import { SeenHeights } from './heights.ts'
import { type Endpoint, request } from './http.ts'
import type { KeyPair } from './keypair.ts'
import { signInChallengeQuery, signInMutation } from './operations.ts'

export interface SignInOptions {
  /** Address of a node's `/graphql`. Its host and port are part of what is signed. */
  readonly url: string
  /** The account that signs in. */
  readonly key: KeyPair
  /** Refuses to sign for another network than this one: its id as 0x-hex. */
  readonly network?: string
  /** The platform's own if absent. */
  readonly fetch?: typeof fetch
  /** Milliseconds that each of the two requests may take; 30,000 if absent. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** Somebody is signed in. */
export interface SignedInSession {
  /** For the header `authorization: Bearer ...`, or as `apiKey` of a client. */
  readonly token: string
  /** Sign in again before this. */
  readonly expiresAt: Date
  /** 0x-hex. */
  readonly address: string
}

/**
 * Signs in at a node with an account's own key. What is signed names the node and the network, so it is of no use
 * anywhere else, and can never be a transaction.
 * @throws ClientError REFUSED; and as `Client.request`
 */
export async function signIn(options: SignInOptions): Promise<SignedInSession> {
  const { url, key, timeout = 30_000, signal } = options
  const endpoint: Endpoint = {
    url,
    headers: {},
    timeout,
    fetch: options.fetch ?? fetch.bind(globalThis),
    seen: new SeenHeights(),
  }
  const { signInChallenge } = await request(endpoint, signInChallengeQuery, { address: key.address }, signal)
  const { challenge, nonce, expiresAt, network, networkId } = signInChallenge
  if (options.network !== undefined && options.network.toLowerCase() !== networkId?.toLowerCase())
    throw new ClientError('REFUSED', `the node is of another network: ${networkId ?? network}`, {
      reason: 'WRONG_NETWORK',
    })
  const audience = new URL(url).host
  const message = signInBytes({
    network,
    networkId: networkId === null ? null : fromHex(networkId),
    audience,
    address: key.publicKey,
    nonce,
    expiresAt: Date.parse(expiresAt),
  })
  const signature = toHex(key.sign(message))
  const { signIn: result } = await request(endpoint, signInMutation, { challenge, audience, signature }, signal)
  if (result.__typename === 'SignedIn')
    return { token: result.token, expiresAt: new Date(result.expiresAt), address: key.address }
  throw new ClientError('REFUSED', `${result.code}: ${result.message}`, { reason: result.code })
}
