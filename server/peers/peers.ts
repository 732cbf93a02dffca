import { leaseName } from '../jobs/fence.ts'
import type { Leader } from '../jobs/lease-table.ts'
import type { Leases } from '../jobs/leases.ts'
import { pause } from '../pause.ts'
import { type AskOptions, type PeerCall, PeerError, type PeerStream, type Peers } from '../plugin/peers.ts'
import { type Answers, GoneError, type Served } from './answers.ts'
import { LeaderGoneError, PeerConnection } from './connection.ts'

const WITHIN_MS = 10_000
/** An answer that takes longer, whoever leads, is given up. */
const ANSWER_MS = 30_000
const RETRY_MS = 30

/** The way to a job's leader: this very node, or another. */
type Way =
  | { readonly kind: 'here'; readonly served: Served }
  | { readonly kind: 'there'; readonly connection: PeerConnection; readonly fence: bigint }

/** A node's calls to leaders, and what it answers as one. */
export class PeerCalls {
  readonly #answers: Answers
  readonly #leases: () => Leases
  readonly #connections = new Map<string, PeerConnection>()
  /** Leases that are watched for the calls under way. */
  readonly #watched = new Map<string, () => void>()
  readonly #stopped = new AbortController()

  constructor(answers: Answers, leases: () => Leases) {
    this.#answers = answers
    this.#leases = leases
  }

  /** As one plugin uses it. */
  of(plugin: string): Peers {
    const methodOf = ({ job, name }: { readonly job: string; readonly name: string }): string =>
      `${plugin}/${job}/${name}`
    return {
      serve: <I, O>(
        call: PeerCall<I, O>,
        signal: AbortSignal,
        answer: (input: I, signal: AbortSignal) => O | Promise<O>,
      ) =>
        this.#answers.serve(methodOf(call), signal, {
          kind: 'call',
          answer: (input, cancelled) => answer(input as I, cancelled),
        }),
      serveStream: <I, T>(
        stream: PeerStream<I, T>,
        signal: AbortSignal,
        answer: (input: I, signal: AbortSignal) => AsyncIterable<T>,
      ) =>
        this.#answers.serve(methodOf(stream), signal, {
          kind: 'stream',
          answer: (input, cancelled) => answer(input as I, cancelled),
        }),
      call: <I, O>(call: PeerCall<I, O>, input: I, options?: AskOptions) =>
        this.#call(leaseName(plugin, call.job), methodOf(call), call.repeatable, input, options) as Promise<O>,
      stream: <I, T>(stream: PeerStream<I, T>, input: I, options?: AskOptions) =>
        this.#stream(leaseName(plugin, stream.job), methodOf(stream), input, options) as AsyncIterable<T>,
    }
  }

  stop(): void {
    this.#stopped.abort(new PeerError('NODE_STOPS', 'this node stops; ask another one'))
    for (const end of this.#watched.values()) end()
    for (const connection of [...this.#connections.values()]) connection.close()
  }

  async #call(
    lease: string,
    method: string,
    repeatable: boolean,
    input: unknown,
    options: AskOptions = {},
  ): Promise<unknown> {
    // On the leader's own node this is all there is to it.
    const here = this.#answers.find(method)
    if (here === undefined) return this.#callAnywhere(lease, method, repeatable, input, options)
    try {
      return await here.call(input, options.signal)
    } catch (error) {
      if (!(error instanceof GoneError)) throw error
      if (!repeatable) throw lost(lease)
    }
    return this.#callAnywhere(lease, method, repeatable, input, options)
  }

  async #callAnywhere(
    lease: string,
    method: string,
    repeatable: boolean,
    input: unknown,
    { signal, withinMs = WITHIN_MS }: AskOptions,
  ): Promise<unknown> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(timeout(lease)), ANSWER_MS)
    const { controller, unlink } = linked(signal === undefined ? [late.signal] : [late.signal, signal])
    let deadline = performance.now() + withinMs
    try {
      for (;;) {
        controller.signal.throwIfAborted()
        const way = await this.#way(lease, method, deadline, controller.signal)
        try {
          if (way.kind === 'here') return await way.served.call(input, controller.signal)
          return await way.connection.call(lease, way.fence, method, input, controller.signal)
        } catch (error) {
          if (!(error instanceof GoneError)) throw error
          const isDone = !(error instanceof LeaderGoneError) || error.done
          if (isDone && !repeatable) throw lost(lease)
          // The wait begins anew when a leader that had been at work went; one that is never reached is none.
          if (isDone) deadline = performance.now() + withinMs
          else if (performance.now() > deadline) throw nobody(lease)
        }
        await pause(RETRY_MS, controller.signal)
      }
    } finally {
      clearTimeout(timer)
      unlink()
    }
  }

  async *#stream(
    lease: string,
    method: string,
    input: unknown,
    { signal, withinMs = WITHIN_MS }: AskOptions = {},
  ): AsyncGenerator<unknown, void> {
    const { controller, unlink } = linked(signal === undefined ? [] : [signal])
    const deadline = performance.now() + withinMs
    try {
      for (;;) {
        controller.signal.throwIfAborted()
        const way = await this.#way(lease, method, deadline, controller.signal)
        const here = linked([controller.signal])
        try {
          if (way.kind === 'here') yield* way.served.stream(input, here.controller)
          else yield* way.connection.stream(lease, way.fence, method, input, controller.signal)
          return
        } catch (error) {
          if (!(error instanceof GoneError)) throw error
          if (!(error instanceof LeaderGoneError) || error.done) throw lost(lease)
          if (performance.now() > deadline) throw nobody(lease)
        } finally {
          here.unlink()
        }
        await pause(RETRY_MS, controller.signal)
      }
    } catch (error) {
      // Whoever ends it needs no error.
      if (!controller.signal.aborted) throw error
    } finally {
      controller.abort()
      unlink()
    }
  }

  /** Waits until somebody leads. @throws PeerError NO_LEADER, NODE_STOPS; the signal's reason */
  async #way(lease: string, method: string, deadline: number, signal: AbortSignal): Promise<Way> {
    for (;;) {
      this.#stopped.signal.throwIfAborted()
      const served = this.#answers.find(method)
      if (served !== undefined) return { kind: 'here', served }
      const leader = this.#leader(lease)
      const connection = leader === undefined ? undefined : this.#connect(leader)
      if (leader !== undefined && connection !== undefined) return { kind: 'there', connection, fence: leader.fence }
      const left = deadline - performance.now()
      if (left <= 0) throw nobody(lease)
      await this.#change(lease, method, left, signal)
      signal.throwIfAborted()
    }
  }

  /** Resolves when somebody else leads, or this node answers; after so many milliseconds at most. */
  async #change(lease: string, method: string, ms: number, signal: AbortSignal): Promise<void> {
    const changed = new AbortController()
    const before = this.#leases().watch.leader(lease)
    const ends = [
      this.#answers.onServe(method, () => changed.abort()),
      this.#leases().watch.watch(lease, (leader) => {
        if (leader !== undefined && leader.fence !== before?.fence) changed.abort()
      }),
    ]
    await pause(ms, AbortSignal.any([changed.signal, signal, this.#stopped.signal]))
    for (const end of ends) end()
  }

  /** The last known leader; from the first question on the lease is watched. */
  #leader(lease: string): Leader | undefined {
    const { watch } = this.#leases()
    if (!this.#watched.has(lease)) {
      let fence: bigint | undefined
      const end = watch.watch(lease, (leader) => {
        if (leader?.fence === fence) return
        fence = leader?.fence
        for (const connection of this.#connections.values()) connection.abandon(lease, fence)
      })
      this.#watched.set(lease, end)
    }
    return watch.leader(lease)
  }

  #connect({ node, url, secret }: Leader): PeerConnection | undefined {
    // Its own answers are found without a connection; they are not there yet, or not any more.
    if (node === this.#leases().node || url === null || secret === null) return undefined
    // A node that was started again has another secret.
    const key = `${url} ${secret}`
    const known = this.#connections.get(key)
    if (known !== undefined) return known
    const made: PeerConnection = new PeerConnection(url, secret, () => {
      if (this.#connections.get(key) === made) this.#connections.delete(key)
    })
    this.#connections.set(key, made)
    return made
  }
}

const lost = (lease: string): PeerError =>
  new PeerError('LEADER_LOST', `the leader of ${lease} went before it had answered; look whether it did what was asked`)

const timeout = (lease: string): PeerError =>
  new PeerError('PEER_TIMEOUT', `the leader of ${lease} did not answer within ${ANSWER_MS / 1000} s`)

const nobody = (lease: string): PeerError =>
  new PeerError('NO_LEADER', `no node leads ${lease} now; try again in a moment`)

/** A controller that aborts with any of the signals, and may be aborted alone. */
function linked(signals: readonly AbortSignal[]): { readonly controller: AbortController; unlink(): void } {
  const controller = new AbortController()
  const ends = signals.map((signal) => {
    const abort = (): void => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  })
  return {
    controller,
    unlink: () => {
      for (const end of ends) end()
    },
  }
}
