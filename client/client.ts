import type { Action } from '../protocol/index.ts'
import type { TypedDocument } from './document.ts'
import { ClientError } from './errors.ts'
import { type FeeEstimate, Fees, HEADROOM } from './fees.ts'
import type { FollowOptions } from './follow.ts'
import { SeenHeights } from './heights.ts'
import { type Endpoint, request } from './http.ts'
import type { KeyPair } from './keypair.ts'
import { type Light, type LightOptions, openLight } from './light/light.ts'
import { connectLive, type Live } from './live.ts'
import { type NetworkInfo, NetworkView, readNetwork } from './network-view.ts'
import { accountQuery, faucetMutation, transactionQuery, transactionSubscription } from './operations.ts'
import { Sender, type SendOptions } from './sender.ts'
import { type Accepted, accepted, type Outcome, refusedError, type SubmitOptions, submit, submitAll } from './submit.ts'
import { bytes32, type Hex32, hex32, transfer } from './transaction.ts'
import { type TransactionInfo, transactionInfo } from './transaction-info.ts'
import { type WaitOptions, waitFor } from './wait-for.ts'

/** Where to connect to, and as whom. */
export interface ClientOptions {
  /** Address of a node's `/graphql`. */
  readonly url: string
  /** What `send` and `transfer` sign with; the account that they act for, unless `account` names another. */
  readonly key?: KeyPair
  /** The account that `key` is a session key of. Such a key signs in its own `lane` only. */
  readonly account?: Hex32
  /** The lane of `send` and `transfer` where they are not told another; 0 if absent. */
  readonly lane?: number
  /**
   * What `send` and `transfer` allow as a fee: so many times the present one, 2 if absent. The price may rise before a
   * transaction is included; one that allows less than that waits until the price falls, or expires.
   */
  readonly headroom?: number
  /** An API key, `dk_...`: who asks, where a field wants to know. Keep it out of web pages. */
  readonly apiKey?: string
  /** Realm of that account; 0 if absent. */
  readonly realm?: number
  /** The platform's own if absent. */
  readonly fetch?: typeof fetch
  /** The platform's own if absent; null to do without, which turns waiting into asking. */
  readonly webSocket?: typeof WebSocket | null
  /** Sent with each request, and as the parameters of a WebSocket connection. */
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds that one request may take; 30,000 if absent. */
  readonly timeout?: number
}

/** An account as it is now. */
export interface AccountInfo {
  /** 0x-hex. */
  readonly address: string
  /** In the smallest unit: 1 DEA is 10^9. */
  readonly balance: bigint
  /** The next nonce of each lane that was used. */
  readonly lanes: ReadonlyMap<number, number>
  readonly shard: string | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

/**
 * A connection to a network, through one node. What it reads is never older than what it has read or written before.
 * All methods throw ClientError: UNREACHABLE, TIMEOUT, BAD_RESPONSE or GRAPHQL, and what each says besides.
 */
export interface Client {
  /** What the network says of itself. */
  network(options?: CallOptions): Promise<NetworkInfo>
  /** An account; undefined only if there is no such realm. An address that nobody used has a balance of 0. */
  account(address: Hex32, options?: CallOptions & { readonly realm?: number }): Promise<AccountInfo | undefined>
  /** How far a transaction got; undefined if the node does not know it. */
  transaction(id: Hex32, options?: CallOptions): Promise<TransactionInfo | undefined>

  /**
   * Submits a signed transaction; when there is no answer, again. However often it is submitted it is executed once.
   * @throws ClientError REFUSED
   */
  submit(wire: Uint8Array, options?: SubmitOptions): Promise<Accepted>
  /** Submits many, with one outcome each in the same order. Does not throw REFUSED. */
  submitAll(wires: readonly Uint8Array[], options?: SubmitOptions): Promise<Outcome[]>
  /**
   * Waits until a transaction got so far. FAILED is an answer: some of its actions were refused, the others stand.
   * @throws ClientError NOT_INCLUDED, TRANSACTION_UNKNOWN, TIMEOUT
   */
  waitFor(id: Hex32, options?: WaitOptions): Promise<TransactionInfo>

  /**
   * Signs actions as one transaction of the client's account, submits it and waits for its end. Any number may be sent
   * at a time; they are included in the order of the calls.
   * @throws ClientError KEY_MISSING, REFUSED, NOT_INCLUDED, TIMEOUT. After UNREACHABLE or TIMEOUT the transaction that
   *   the error names may still be included, unless the account sends another in the same lane first.
   */
  send(actions: readonly Action[], options?: SendOptions): Promise<TransactionInfo>
  /** Pays. `value` in the smallest unit. Throws as `send`. */
  transfer(to: Hex32, value: bigint, options?: SendOptions): Promise<TransactionInfo>
  /** What actions of the client's account would cost now. @throws ClientError KEY_MISSING, REFUSED */
  estimateFee(actions: readonly Action[], options?: CallOptions): Promise<FeeEstimate>
  /** Lets the faucet pay an address; development networks only. @throws ClientError REFUSED */
  faucet(address: Hex32, options?: CallOptions): Promise<Accepted & { readonly id: string }>

  /** Asks anything. @throws ClientError GRAPHQL if any error is answered */
  request<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    options?: CallOptions,
  ): Promise<Result>
  /**
   * Subscribes to anything. Leave the loop to unsubscribe.
   *
   * A stream of events (the document passes a variable as `after`) goes on by itself when the connection is cut, the
   * node restarts, or it was read too slowly: nothing is missing, nothing comes twice.
   * @throws ClientError while it is read: DISCONNECTED (the node is away for too long; or the subscription is not one
   *   that can be resumed), SLOW_CONSUMER, GRAPHQL (CURSOR_EXPIRED, for example: what came next is no longer kept)
   */
  subscribe<Result, Variables extends object>(
    document: TypedDocument<Result, Variables>,
    variables: Variables,
    options?: FollowOptions,
  ): AsyncIterableIterator<Result, undefined>
  /**
   * Opens a light client: it follows the root chain and proves what it reads, so that the node need not be trusted.
   * @throws ClientError PROOF_INVALID if the node shows another network, or a root chain that nobody voted for
   */
  light(options: LightOptions): Promise<Light>
  /** Ends subscriptions, and light clients. */
  close(): Promise<void>
}

/** Connects to nothing yet: each call does. */
export function createClient(options: ClientOptions): Client {
  const { url, timeout = 30_000, realm: ownRealm = 0 } = options
  const headers = headersOf(options)
  const endpoint: Endpoint = {
    url,
    headers,
    timeout,
    fetch: options.fetch ?? fetch.bind(globalThis),
    seen: new SeenHeights(),
  }
  const live = connectIfPossible(options, headers)
  const view = new NetworkView(() => readNetwork(endpoint))
  const fees = new Fees(endpoint)
  const lights = new Set<Light>()

  const account: Client['account'] = async (address, { realm = 0, signal } = {}) => {
    const hex = hex32(address)
    const { account: found } = await request(endpoint, accountQuery, { address: hex, realm }, signal)
    if (found === null) return undefined
    return {
      address: hex,
      balance: BigInt(found.balance),
      lanes: new Map(found.lanes.map(({ lane, nextNonce }) => [lane, Number(nextNonce)])),
      shard: found.shard?.id,
    }
  }
  const transaction: Client['transaction'] = async (id, { signal } = {}) => {
    const hex = hex32(id)
    const { transaction: found } = await request(endpoint, transactionQuery, { id: hex }, signal)
    return found === null ? undefined : transactionInfo(hex, found)
  }
  const wait: Client['waitFor'] = (id, waitOptions = {}) =>
    waitFor(
      {
        watch: live && ((hex, signal) => watch(live, hex, signal)),
        read: (hex, signal) => transaction(hex, { signal }),
      },
      hex32(id),
      waitOptions,
    )
  const keys = () => {
    if (options.key !== undefined) return options.key
    throw new ClientError('KEY_MISSING', 'this client signs nothing: give createClient a `key`')
  }
  const accountOf = (own: KeyPair) => (options.account === undefined ? own.publicKey : bytes32(options.account))
  let sender: Sender | undefined
  const ownSender = () => {
    const own = keys()
    sender ??= new Sender({
      keys: own,
      account: accountOf(own),
      lane: options.lane ?? 0,
      headroom: options.headroom ?? HEADROOM,
      realm: ownRealm,
      network: view,
      fees,
      nextNonce: async (lane) => (await account(accountOf(own), { realm: ownRealm }))?.lanes.get(lane) ?? 0,
      submit: (wire, until, signal) => submit(endpoint, wire, { wait: until, ...(signal && { signal }) }),
      waitFor: wait,
      read: (id, signal) => transaction(id, signal && { signal }),
    })
    return sender
  }

  return {
    network: ({ signal } = {}) => readNetwork(endpoint, signal),
    account,
    transaction,
    submit: (wire, submitOptions = {}) => submit(endpoint, wire, submitOptions),
    submitAll: (wires, submitOptions = {}) => submitAll(endpoint, wires, submitOptions),
    waitFor: wait,
    send: async (actions, sendOptions = {}) => ownSender().send(actions, sendOptions),
    transfer: async (to, value, sendOptions = {}) => ownSender().send([transfer(to, value)], sendOptions),
    estimateFee: async (actions, { signal } = {}) => {
      const own = keys()
      const fields = { realm: ownRealm, sender: accountOf(own), key: own.publicKey, lane: options.lane ?? 0, actions }
      return fees.estimate({ ...(await view.signing()), ...fields }, signal)
    },
    faucet: async (address, { signal } = {}) => {
      const { faucet } = await request(endpoint, faucetMutation, { address: hex32(address) }, signal)
      if (faucet.__typename === 'TransactionRefused') throw refusedError(faucet)
      return { ...accepted(faucet), id: faucet.transaction.id }
    },
    request: (document, variables, { signal } = {}) => request(endpoint, document, variables, signal),
    subscribe: (document, variables, options = {}) => {
      if (live === undefined) throw new ClientError('UNREACHABLE', 'subscriptions take a WebSocket: give `webSocket`')
      return live.subscribe(document, variables, options)
    },
    light: async (lightOptions) => {
      const light = await openLight({ endpoint, live, onEnd: (ended) => lights.delete(ended) }, lightOptions)
      lights.add(light)
      return light
    },
    close: async () => {
      await Promise.all([...lights].map((light) => light.close()))
      await live?.close()
    },
  }
}

function headersOf({ apiKey, headers = {} }: ClientOptions): Readonly<Record<string, string>> {
  return apiKey === undefined ? headers : { ...headers, authorization: `Bearer ${apiKey}` }
}

function connectIfPossible(options: ClientOptions, headers: Readonly<Record<string, string>>): Live | undefined {
  const own: typeof WebSocket | undefined = globalThis.WebSocket
  const webSocket = options.webSocket === undefined ? own : options.webSocket
  return webSocket === null || webSocket === undefined ? undefined : connectLive(options.url, webSocket, headers)
}

async function* watch(live: Live, id: string, signal: AbortSignal): AsyncGenerator<TransactionInfo> {
  for await (const { transaction } of live.subscribe(transactionSubscription, { id }, { signal })) {
    yield transactionInfo(id, transaction)
  }
}
