/** Carries a token's types; it exists for the compiler only. */
declare const INPUT: unique symbol
declare const OUTPUT: unique symbol

/** A question that the leader of a job answers. */
export interface PeerCall<Input, Output> {
  readonly kind: 'call'
  /** The plugin's leader job. */
  readonly job: string
  readonly name: string
  /** Whether it may be asked twice: then it is put to the next leader if the one before went before it answered. */
  readonly repeatable: boolean
  readonly [INPUT]?: Input
  readonly [OUTPUT]?: Output
}

/** Something that the leader of a job tells bit by bit. */
export interface PeerStream<Input, Item> {
  readonly kind: 'stream'
  readonly job: string
  readonly name: string
  readonly [INPUT]?: Input
  readonly [OUTPUT]?: Item
}

/** A call's token. Input and output are what `structuredClone` can copy; bytes as Uint8Array. */
export const peerCall = <Input, Output>(
  job: string,
  name: string,
  options: { readonly repeatable?: boolean } = {},
): PeerCall<Input, Output> => Object.freeze({ kind: 'call', job, name, repeatable: options.repeatable ?? false })

/** A stream's token. */
export const peerStream = <Input, Item>(job: string, name: string): PeerStream<Input, Item> =>
  Object.freeze({ kind: 'stream', job, name })

export type PeerErrorCode =
  /** Nobody led the job within the time. */
  | 'NO_LEADER'
  /** The leader went before it had answered: it may have done what it was asked. Or a stream's leader went. */
  | 'LEADER_LOST'
  /** Too much is on its way to the leader. */
  | 'PEER_BUSY'
  /** The leader did not answer in time. */
  | 'PEER_TIMEOUT'
  /** This node stops. */
  | 'NODE_STOPS'

/** The leader of a job could not be asked. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
  readonly code: PeerErrorCode

  constructor(code: PeerErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What the leader's answer threw, on another node: its message and its `code`, if it has one. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly code: string | undefined

  constructor(code: string | undefined, message: string) {
    super(message)
    this.code = code
  }
}

export interface AskOptions {
  /** Gives the answer up; the leader is told. */
  readonly signal?: AbortSignal
  /** Milliseconds to wait while nobody leads; 10 s if absent. */
  readonly withinMs?: number
}

/**
 * How the nodes that share a database work together: one leads a job, and all of them ask it.
 *
 *     const Forecast = peerCall<{ city: string }, number>('station', 'forecast', { repeatable: true })
 *     // in the run of the leader job `station`
 *     host.peers.serve(Forecast, run.signal, ({ city }) => celsius(city))
 *     // anywhere, on any node, this one included
 *     await host.peers.call(Forecast, { city: 'Bern' })
 */
export interface Peers {
  /** Answers the calls of all nodes until the signal aborts: the signal of the leader's run. */
  serve<Input, Output>(
    call: PeerCall<Input, Output>,
    signal: AbortSignal,
    answer: (input: NoInfer<Input>, signal: AbortSignal) => Promise<Output> | Output,
  ): void
  /** The same for a stream. It is read no faster than its reader takes it. */
  serveStream<Input, Item>(
    stream: PeerStream<Input, Item>,
    signal: AbortSignal,
    answer: (input: NoInfer<Input>, signal: AbortSignal) => AsyncIterable<Item>,
  ): void
  /**
   * Asks the leader; while there is none, waits for one. On the node that leads nothing is copied.
   * @throws PeerError; RemoteError (or on the leader's node the error itself) if the answer throws
   */
  call<Input, Output>(call: PeerCall<Input, Output>, input: NoInfer<Input>, options?: AskOptions): Promise<Output>
  /**
   * Follows a stream of the leader. Ends with LEADER_LOST when that goes: only the caller knows where to go on.
   * @throws as `call`
   */
  stream<Input, Item>(stream: PeerStream<Input, Item>, input: NoInfer<Input>, options?: AskOptions): AsyncIterable<Item>
}
