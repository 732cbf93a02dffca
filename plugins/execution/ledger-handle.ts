import { cellPath, ROOT_REALM, ROOT_SHARD, type Shard, shardOf } from '../../protocol/index.ts'
import type { Health, Host, JobRun, PeerCall } from '../../server/plugin.ts'
import type { Ledger, TransactionState } from './api.ts'
import type { Chain } from './chain.ts'
import { SubmissionError } from './gateway/errors.ts'
import type { Network } from './genesis.ts'
import { Cells, Faucet, Proof, Simulate, States, Submit } from './leading/calls.ts'
import { followStates } from './leading/follow-watch.ts'
import { type LeaderParts, lead } from './leading/lead.ts'
import { Mirror } from './leading/mirror.ts'
import { passOn } from './leading/pass-on.ts'
import { PendingBook } from './leading/pending-book.ts'
import type { Snapshot } from './leading/snapshot.ts'
import { ledgerTrouble } from './leading/trouble.ts'
import type { ShardDatabases } from './query/shard-databases.ts'
import { shardSpace } from './shard/shard-space.ts'

/** The ledger was asked before the node started it. */
export class LedgerNotStartedError extends Error {
  override readonly name = 'LedgerNotStartedError'
  readonly code = 'LEDGER_NOT_STARTED'
}

/** What the ledger on this node is made of, once the plugin has looked at keys and network. */
interface Prepared {
  readonly host: Host
  readonly network: Network
  /** What it makes blocks with, if it may: it needs the operator's key. */
  readonly leader: LeaderParts | undefined
  /** Where blocks are. */
  readonly databases: ShardDatabases
}

/**
 * The ledger as a service, the same on every node: one of them makes the blocks, and all ask that one, this node itself
 * included. While nobody leads, questions wait for 10 s, and submissions are sent again to the next leader.
 */
export class LedgerHandle implements Ledger {
  readonly #book = new PendingBook()
  /** Follows whoever leads, even this very node: then it knows where that ended when another goes on. */
  readonly #mirror = new Mirror((fence) => {
    const { peers, log } = this.#all.host
    void passOn(peers, this.#book.handOver(fence), log)
  })
  readonly #failed = Promise.withResolvers<never>()
  #prepared: Prepared | undefined
  /** While this node leads. */
  #chain: Chain | undefined
  #draining = false

  constructor() {
    // Whoever starts the ledger waits for it; nobody else needs to.
    this.#failed.promise.catch(() => undefined)
  }

  prepare(host: Host, network: Network, leader: LeaderParts | undefined, databases: ShardDatabases): void {
    this.#prepared = { host, network, leader, databases }
  }

  /** Where blocks are; undefined before the node has looked at the network. */
  get databases(): ShardDatabases | undefined {
    return this.#prepared?.databases
  }

  /** Whether this node can make blocks. */
  get mayLead(): boolean {
    return this.#prepared?.leader !== undefined
  }

  /** Resolves when this node leads or follows. @throws whatever keeps it from making blocks */
  ready(): Promise<void> {
    return Promise.race([this.#mirror.known, this.#failed.promise])
  }

  /** The run of the job that makes the blocks. */
  async lead(run: JobRun): Promise<void> {
    const { host, leader } = this.#all
    if (leader === undefined) throw new TypeError('a node without the key of the operator cannot lead')
    try {
      await lead(run, host, leader, (chain) => {
        this.#chain = chain
      })
    } catch (error) {
      this.#failed.reject(error)
      throw error
    }
  }

  /** The run of the job that follows whoever makes them. */
  follow({ signal }: JobRun): Promise<void> {
    const { host } = this.#all
    return this.#mirror.follow(host.peers, signal, host.log)
  }

  /** Takes no new transactions. */
  drain(): void {
    this.#draining = true
  }

  /** Ends what reads the databases of shard hosts. */
  async stop(): Promise<void> {
    await this.#prepared?.databases.close()
  }

  health(): Health {
    return this.#chain?.health() ?? this.#mirror.health()
  }

  get network(): Ledger['network'] {
    const { id, genesis, supply } = this.#all.network
    return { id, genesis, supply }
  }

  readonly rootHeight: Ledger['rootHeight'] = () => this.#chain?.rootHeight() ?? this.#known.rootHeight
  readonly randomness: Ledger['randomness'] = () => this.#chain?.randomness() ?? this.#known.randomness
  readonly shards: Ledger['shards'] = () => this.#chain?.shards() ?? this.#known.shards
  readonly supplyCheck: Ledger['supplyCheck'] = () => this.#chain?.supplyCheck() ?? this.#known.supply

  readonly shardOf: Ledger['shardOf'] = (realm, id) =>
    realm === ROOT_REALM ? ROOT_SHARD : shardOf(this.#living, realm, cellPath(id))?.id

  readonly submit: Ledger['submit'] = async (wires, { wait, signal }) => {
    if (this.#draining) throw new SubmissionError('DRAINING', 'the node is stopping: submit to another, or later')
    const fence = this.#mirror.snapshot?.fence
    const outcomes = await this.#ask(Submit, { wires, wait }, signal)
    for (const [i, outcome] of outcomes.entries()) {
      const wire = wires[i]
      if (outcome.kind === 'accepted' && outcome.status === 'PENDING' && wire !== undefined)
        this.#book.add(outcome.id, wire, fence)
    }
    return outcomes
  }
  readonly simulate: Ledger['simulate'] = (bytes) => this.#ask(Simulate, bytes)
  readonly states: Ledger['states'] = async (ids) => (ids.length === 0 ? [] : this.#ask(States, ids))
  readonly cells: Ledger['cells'] = (realm, ids) => this.#ask(Cells, { realm, ids })
  readonly proof: Ledger['proof'] = (realm, id) => this.#ask(Proof, { realm, id })
  readonly faucet: Ledger['faucet'] = (address) => this.#ask(Faucet, address)

  watch(id: Uint8Array, signal: AbortSignal): AsyncIterable<TransactionState> {
    return followStates(this.#all.host.peers, this.#book, id, signal)
  }

  async #ask<Input, Output>(call: PeerCall<Input, Output>, input: Input, signal?: AbortSignal): Promise<Output> {
    try {
      return await this.#all.host.peers.call(call, input, signal === undefined ? {} : { signal })
    } catch (error) {
      throw ledgerTrouble(error)
    }
  }

  get #all(): Prepared {
    if (this.#prepared === undefined) throw notStarted()
    return this.#prepared
  }

  /** The shards that were not split, as far as they are known here. */
  get #living(): readonly Shard[] {
    const shards = this.#chain?.shards() ?? this.#mirror.snapshot?.shards
    return shards?.filter(({ status }) => status !== 'SPLIT') ?? this.#all.network.genesis.shards.map(shardSpace)
  }

  /** As the leader told last. */
  get #known(): Snapshot {
    if (this.#mirror.snapshot === undefined) throw notStarted()
    return this.#mirror.snapshot
  }
}

const notStarted = (): LedgerNotStartedError =>
  new LedgerNotStartedError('the ledger is still starting: try again in a moment')
