import { equal } from '../../protocol/index.ts'
import { delay } from '../delay.ts'
import { isClientError } from '../errors.ts'
import { type Endpoint, request } from '../http.ts'
import type { Live } from '../live.ts'
import { rootBlockQuery, rootBlocksQuery, rootBlocksSubscription } from '../operations.ts'
import { Stream } from '../stream.ts'
import { invalid, proofBytes, proving } from './proven.ts'
import { type RootChain, type ShownRoot, shownRoot, trustedRoot } from './root-chain.ts'
import type { TrustedRoot } from './verified.ts'

/** Root blocks that are asked for at a time. */
const PAGE = 100
/** A gap of more root blocks than this is jumped over, by the votes for what lies behind it. */
const MAX_LINKED = 10_000
const SHORTEST_PAUSE = 500
const LONGEST_PAUSE = 15_000

interface Shown {
  readonly header: string
  readonly votes: string
}

/** Keeps a chain of root blocks up to date with a node: by subscription, and by asking where that is behind. */
export class RootFollower {
  readonly #endpoint: Endpoint
  readonly #live: Live | undefined
  readonly #chain: RootChain
  readonly #readers = new Set<Stream<TrustedRoot>>()
  #busy: Promise<unknown> = Promise.resolve()
  /** How streams end that are opened when nothing is followed any more. */
  #end: ((stream: Stream<TrustedRoot>) => void) | undefined

  constructor(endpoint: Endpoint, live: Live | undefined, chain: RootChain) {
    this.#endpoint = endpoint
    this.#live = live
    this.#chain = chain
  }

  /** Root blocks from now on, as they are verified. Ends with what ends the following. */
  read(): Stream<TrustedRoot> {
    const stream: Stream<TrustedRoot> = new Stream(() => this.#readers.delete(stream))
    if (this.#end === undefined) this.#readers.add(stream)
    else this.#end(stream)
    return stream
  }

  /** Follows until the signal aborts or the chain forks. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    let pause = SHORTEST_PAUSE
    while (!signal.aborted) {
      try {
        await this.#followOnce(signal, () => {
          pause = SHORTEST_PAUSE
        })
      } catch (error) {
        if (signal.aborted) break
        // Whatever else it is passes, or is met again by whoever asks for something.
        const fail = (stream: Stream<TrustedRoot>) => stream.fail(error)
        if (isClientError(error, 'FORK')) return this.#finish(fail)
        if (isClientError(error, 'PROOF_INVALID')) this.#closeReaders(fail)
      }
      // A node that is away may come back, and one that lied may give way to another.
      await delay(pause, signal).catch(() => undefined)
      pause = Math.min(2 * pause, LONGEST_PAUSE)
    }
    this.#finish((stream) => stream.end())
  }

  /**
   * The trusted hash of the root block that a proof leads to. Goes on to that height if it lies ahead.
   * @param claimed its hash as the proof has it: if that is another, it is found out whether the chain forked
   * @throws ClientError FORK, PROOF_INVALID, and as `request`
   */
  async hashAt(height: number, claimed: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    await this.advance(height, signal)
    const known = this.#chain.hashAt(height)
    if (known !== undefined && equal(known, claimed)) return known
    const shown = await readRoot(this.#endpoint, height, signal)
    if (known !== undefined) {
      await this.#alone(() => this.#take([shown]))
      return known
    }
    // Older than what is remembered: its own votes have to do.
    this.#chain.check(shown)
    return shown.hash
  }

  /** Asks for root blocks up to a height, if they are not known yet. */
  advance(height: number, signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      for (let tip = this.#height; tip < height; tip = this.#height) {
        if (height - tip > MAX_LINKED) {
          this.#jump(await readRoot(this.#endpoint, height, signal))
          continue
        }
        const variables = { after: String(tip), first: Math.min(PAGE, height - tip) }
        const { rootBlocks } = await request(this.#endpoint, rootBlocksQuery, variables, signal)
        const edges = listOf(rootBlocks?.edges)
        if (edges.length === 0) throw invalid('MISSING', `the node shows no root block ${tip + 1}`)
        const shown = edges.map((edge) => readShown(edge?.node))
        // A node that began from a snapshot does not have what lies before.
        if ((shown[0]?.header.height ?? 0) > tip + 1) this.#jump(await readRoot(this.#endpoint, height, signal))
        else this.#take(shown)
        // What was taken in was not new: asking again would go on for ever.
        if (this.#height === tip) throw invalid('MISSING', `the node shows no root block ${tip + 1}`)
      }
    })
  }

  async #followOnce(signal: AbortSignal, onResult: () => void): Promise<void> {
    if (this.#live === undefined) return this.#askOnce(signal, onResult)
    const variables = { after: String(this.#height) }
    for await (const { rootBlocks } of this.#live.subscribe(rootBlocksSubscription, variables, { signal })) {
      const shown = readShown(rootBlocks)
      await this.advance(shown.header.height - 1, signal)
      await this.#alone(() => this.#take([shown]))
      onResult()
    }
  }

  /** Where there is no WebSocket. */
  async #askOnce(signal: AbortSignal, onResult: () => void): Promise<void> {
    const newest = await readRoot(this.#endpoint, undefined, signal)
    await this.advance(newest.header.height, signal)
    onResult()
  }

  get #height(): number {
    return this.#chain.tip.header.height
  }

  #take(shown: readonly ShownRoot[]): void {
    for (const root of this.#chain.extend(shown)) this.#tell(trustedRoot(root))
  }

  #jump(shown: ShownRoot): void {
    this.#chain.jump(shown)
    this.#tell(trustedRoot(this.#chain.tip))
  }

  #tell(root: TrustedRoot): void {
    for (const stream of this.#readers) stream.push(root)
  }

  #finish(end: (stream: Stream<TrustedRoot>) => void): void {
    this.#end = end
    this.#closeReaders(end)
  }

  #closeReaders(end: (stream: Stream<TrustedRoot>) => void): void {
    for (const stream of this.#readers) end(stream)
    this.#readers.clear()
  }

  /** One after the other: what is asked for begins where the chain ends. */
  #alone<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#busy.then(run)
    this.#busy = result.catch(() => undefined)
    return result
  }
}

/** A root block as the node shows it, the newest without a height. @throws ClientError PROOF_INVALID if it shows none */
export async function readRoot(
  endpoint: Endpoint,
  height: number | undefined,
  signal: AbortSignal,
): Promise<ShownRoot> {
  const { rootBlock } = await request(endpoint, rootBlockQuery, { height: height?.toString() ?? null }, signal)
  if (rootBlock == null) throw invalid('MISSING', `the node shows no root block ${height ?? ''}`.trimEnd())
  const shown = readShown(rootBlock)
  if (height === undefined || shown.header.height === height) return shown
  throw invalid('SUBJECT', `the node shows root block ${shown.header.height} for ${height}`)
}

/** What a node shows may have any form, whatever its schema says. */
function readShown(shown: Shown | undefined): ShownRoot {
  const header = proofBytes(shown?.header, 'a root block')
  const votes = proofBytes(shown?.votes, 'the votes for a root block')
  return proving(() => shownRoot(header, votes))
}

const listOf = <T>(list: readonly T[] | undefined): readonly T[] => (Array.isArray(list) ? list : [])
