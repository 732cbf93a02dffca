import {
  concat,
  encodeRootHeader,
  equal,
  headersRoot,
  type RootHeader,
  rootHeaderHash,
  sha256,
  sortCommitted,
  votingBytes,
} from '../../../protocol/index.ts'
import { type SigningKey, sign } from '../../../server/crypto/ed25519.ts'
import { isFenced, type Log, pause } from '../../../server/plugin.ts'
import { isRefusedByData } from '../shard/commit.ts'
import type { MadeRoot, RootInput } from './made-root.ts'
import type { Orderer, ProposedBlock, RootBlock } from './orderer.ts'
import type { RevealChain } from './reveal-chain.ts'
import type { RootState } from './root-state.ts'
import type { RootStore } from './root-store.ts'
import type { RootView } from './root-view.ts'

/** Milliseconds between root blocks while shard blocks come in, and while none do. */
export interface RootPace {
  readonly busyMs: number
  readonly idleMs: number
}

const RETRY_MS = 200
/** Shard blocks in one root block at most. */
const MAX_ENTRIES = 4096

/** Somebody who is not held to the fence wrote a root block. */
export class RootForkError extends Error {
  override readonly name = 'RootForkError'
  readonly code = 'FORKED'
}

export interface LocalOrdererParts {
  readonly store: RootStore
  /** As of the tip. */
  readonly state: RootState
  /** What the shard blocks that a durable root block lists sent to the root chain. */
  readonly sentToRoot: (block: RootBlock) => Promise<RootInput['sources']>
  readonly key: SigningKey
  readonly reveals: RevealChain
  readonly pace: RootPace
  readonly log: Log
  readonly now: () => number
  readonly onFatal: (error: Error) => void
}

/** The orderer of a network with one validator: this node decides alone, and says so. */
export class LocalOrderer implements Orderer {
  readonly randomness = 'SINGLE_OPERATOR'
  readonly #parts: LocalOrdererParts
  readonly #listeners: ((block: RootBlock, made: MadeRoot) => void)[] = []
  #tip: RootBlock
  #view: RootView
  /** What the next root block executes; undefined until it was looked up, after a start. */
  #inbound: RootInput['sources'] | undefined
  #waiting: ProposedBlock[] = []
  #wake: (() => void) | undefined
  #running: Promise<void> | undefined
  readonly #stopped = new AbortController()

  /** Goes on after `tip`. */
  constructor(parts: LocalOrdererParts, tip: RootBlock) {
    this.#parts = parts
    this.#tip = tip
    this.#view = parts.state.view
  }

  get tip(): RootBlock {
    return this.#tip
  }

  get view(): RootView {
    return this.#view
  }

  propose(blocks: readonly ProposedBlock[]): void {
    this.#waiting.push(...blocks)
    this.#wake?.()
  }

  onCommit(listener: (block: RootBlock, made: MadeRoot) => void): void {
    this.#listeners.push(listener)
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#parts.onFatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const { pace } = this.#parts
    let last = performance.now()
    while (!this.#stopped.signal.aborted) {
      // The first shard block after a pause is committed at once; the pace holds from then on.
      const due = last + (this.#hasWork() ? pace.busyMs : pace.idleMs)
      const left = due - performance.now()
      if (left > 0) {
        await this.#waitForWork(left)
        continue
      }
      last = performance.now()
      await this.#makeBlock()
    }
  }

  /** Shard blocks to list, messages to the root chain to execute, or its own to deliver. */
  #hasWork(): boolean {
    if (this.#waiting.length > 0 || this.#inbound?.length !== 0 || this.#tip.outgoing.length > 0) return true
    return this.#isAwaited()
  }

  /** A shard is to be split at a root block to come: the sooner it is there, the better. */
  #isAwaited(): boolean {
    const { height } = this.#tip.header
    for (const { until } of this.view.shards.values()) if (until !== null && until > height) return true
    return false
  }

  async #makeBlock(): Promise<void> {
    const { state } = this.#parts
    const sources = this.#inbound ?? (await this.#lookUpInbound())
    const listed = this.#waiting.splice(0, MAX_ENTRIES)
    const entries = sortCommitted(listed)
    const before = this.#tip
    const height = before.header.height + 1
    const { reveal, anchor } = this.#parts.reveals.at(height)
    // A clock that was ahead, here or at a shard host, must not make the ledger's time go back from block to block.
    const time = listed.reduce(
      (latest, block) => Math.max(latest, block.time),
      Math.max(before.header.time, this.#parts.now()),
    )
    const random = sha256(concat(before.header.random, reveal))
    const made = await state.make({ height, time, random, sources })
    const header: RootHeader = {
      height,
      prevHash: before.hash,
      time,
      headersRoot: headersRoot(entries),
      cellsRoot: made.cellsRoot,
      outRoot: made.outRoot,
      exportsRoot: made.exportsRoot,
      reveal,
      random,
      anchor,
    }
    const { exports, outgoing, totals } = made
    const hash = rootHeaderHash(encodeRootHeader(header))
    const block: RootBlock = { header, hash, entries, exports, outgoing, totals }
    await this.#commit(block, made)
    state.committed(height)
    this.#tip = block
    this.#view = state.view
    for (const listener of this.#listeners) listener(block, made)
    this.#inbound = await this.#lookUpInbound()
  }

  /** What the tip's shard blocks sent to the root chain, however long the database is away. */
  async #lookUpInbound(): Promise<RootInput['sources']> {
    const { log, sentToRoot } = this.#parts
    for (let attempt = 0; ; attempt++) {
      try {
        return await sentToRoot(this.#tip)
      } catch (error) {
        if (isRefusedByData(error)) throw error
        if (attempt === 0) log.warn({ error: String(error) }, 'the last root block cannot be read; trying again')
        await pause(RETRY_MS, this.#stopped.signal)
        if (this.#stopped.signal.aborted) throw error
      }
    }
  }

  /** Stores the block, however long the database is away; its stored hash decides if the answer was lost. */
  async #commit(block: RootBlock, made: MadeRoot): Promise<void> {
    const { store, key, log } = this.#parts
    const votes = [{ validator: key.publicKey, signature: sign(votingBytes(block.hash), key) }]
    for (let attempt = 0; ; attempt++) {
      try {
        await store.commit(block, made, this.#tip.outgoing, votes)
        return
      } catch (error) {
        // A newer leader: whatever stands there is its own.
        if (isFenced(error)) throw error
        const stored = await this.#storedHash(block.header.height)
        if (stored !== undefined && equal(stored, block.hash)) return
        // Refused under a fence that is the newest: then what stands there is nobody's who may write. After any other
        // error it may be a newer leader's: trying again tells.
        if (isRefusedByData(error)) throw stored === undefined ? error : forked(block)
        if (attempt === 0) log.warn({ error: String(error) }, 'the database does not take root blocks; trying again')
        await pause(RETRY_MS, this.#stopped.signal)
        if (this.#stopped.signal.aborted) throw error
      }
    }
  }

  /** undefined if there is none, or the database is still away: the caller tries again then. */
  async #storedHash(height: number): Promise<Uint8Array | undefined> {
    try {
      return await this.#parts.store.hashAt(height)
    } catch (error) {
      if (isRefusedByData(error)) throw error
      return undefined
    }
  }

  async #waitForWork(ms: number): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(ms, AbortSignal.any([woken.signal, this.#stopped.signal]))
    this.#wake = undefined
  }
}

const forked = ({ header }: RootBlock): RootForkError =>
  new RootForkError(
    `another root block stands at height ${header.height}: something else writes to this database; stop it`,
  )
