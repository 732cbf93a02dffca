import {
  type BlockHeader,
  type ProvenAt,
  type Receipt,
  ROOT_REALM,
  ROOT_SHARD,
  type RootedCell,
  rootOfProof,
  toHex,
  verifyRootedBlock,
  verifyRootedCell,
  verifyRootedExport,
  verifyRootedMessages,
  verifyRootedTransaction,
  verifySplit,
} from '../../protocol/index.ts'
import { within } from '../deadline.ts'
import { type Endpoint, request } from '../http.ts'
import type { Live } from '../live.ts'
import {
  blockProofQuery,
  cellProofQuery,
  exportProofQuery,
  genesisQuery,
  messagesProofQuery,
  rootMessagesProofQuery,
  splitProofQuery,
  transactionProofQuery,
} from '../operations.ts'
import { bytes32, type Hex32, hex32 } from '../transaction.ts'
import { lanesOf } from './account-lanes.ts'
import { NewestBlocks } from './newest-blocks.ts'
import { invalid, proofBytes, proving } from './proven.ts'
import { RootChain, shownRoot, trustedRoot } from './root-chain.ts'
import { RootFollower, readRoot } from './root-follower.ts'
import { validatorsOf } from './validators.ts'
import type {
  AsOf,
  TrustedRoot,
  VerifiedAccount,
  VerifiedBlock,
  VerifiedCell,
  VerifiedExport,
  VerifiedMessages,
  VerifiedSplit,
  VerifiedTransaction,
} from './verified.ts'

/** What a light client takes for granted. */
export interface LightOptions {
  readonly trusted: {
    /** Id of the network, 32 bytes or 0x-hex: the hash of its genesis document, which names the validators. */
    readonly network: Hex32
    /** CBOR of a root header that is known from elsewhere, like the `tip` of an earlier light client. */
    readonly header?: Uint8Array
  }
  /** Ends it, as `close` does. */
  readonly signal?: AbortSignal
  /** Milliseconds that each answer may take with all its proofs; 30,000 if absent. */
  readonly timeout?: number
}

export interface VerifyOptions {
  readonly signal?: AbortSignal
}

/** A block of a shard, by its place. */
export interface BlockPlace {
  readonly shard: string
  readonly height: number
}

/**
 * Reads a network through a node that need not be trusted: everything is proven against root headers, and those by the
 * votes of the network's validators. It follows the root chain until it is closed.
 *
 * All methods throw ClientError PROOF_INVALID for what does not hold, FORK once the validators voted for two root blocks
 * of one height, TIMEOUT, and as `Client.request`.
 */
export interface Light {
  /** The newest root block that was verified. @throws ClientError FORK */
  readonly tip: TrustedRoot
  /** Root blocks from now on, as they are verified, without a gap unless it jumps over one. Leave the loop to end it. */
  roots(): AsyncIterableIterator<TrustedRoot, undefined>
  /** An account, never older than what was proven before. */
  account(address: Hex32, options?: VerifyOptions & { readonly realm?: number }): Promise<VerifiedAccount>
  /**
   * A cell, or that there is none; never older than what was proven before. `realm` is 0 if absent; the root chain's own
   * cells are those of realm 2^32-1.
   */
  cell(id: Hex32, options?: VerifyOptions & { readonly realm?: number }): Promise<VerifiedCell>
  /** A transaction in its block. Undefined if the node shows it in none, which proves nothing. */
  transaction(id: Hex32, options?: VerifyOptions): Promise<VerifiedTransaction | undefined>
  /** A block of a shard. */
  block(at: BlockPlace, options?: VerifyOptions): Promise<VerifiedBlock & AsOf>
  /**
   * All messages that a block sent to a shard; `to` may also be a part of one, like `0:0110`. A block of `root` is a root
   * block, with what the root chain itself sent.
   */
  messages(from: BlockPlace, to: string, options?: VerifyOptions): Promise<VerifiedMessages>
  /** How a shard was split. */
  split(shard: string, options?: VerifyOptions): Promise<VerifiedSplit>
  /** What the root chain exports under a key as of the present tip, or that it exports nothing there. */
  exported(key: string, options?: VerifyOptions): Promise<VerifiedExport>
  /** Ends the following. */
  close(): Promise<void>
}

export interface LightParts {
  readonly endpoint: Endpoint
  readonly live: Live | undefined
  /** Called when it has ended. */
  readonly onEnd?: (light: Light) => void
}

interface CellOptions extends VerifyOptions {
  readonly realm?: number
}

const TIMEOUT = 30_000
const NO_VOTES = new Uint8Array(0)
const STATUSES = ['DONE', 'REFUSED', 'SENT'] as const

/** Verifies where the root chain is and begins to follow it. @throws ClientError */
export async function openLight(parts: LightParts, options: LightOptions): Promise<Light> {
  const { timeout = TIMEOUT, trusted } = options
  const { endpoint } = parts
  const chain = await within(timeout, options.signal, async (signal) => {
    const { network } = await request(endpoint, genesisQuery, {}, signal)
    const validators = validatorsOf(proofBytes(network?.genesis, 'its genesis'), bytes32(trusted.network))
    if (trusted.header !== undefined) return new RootChain(validators, shownRoot(trusted.header, NO_VOTES))
    const newest = await readRoot(endpoint, undefined, signal)
    const chain = new RootChain(validators, newest)
    // Nothing but its votes vouches for the first one.
    chain.check(newest)
    return chain
  })
  return new LightClient(parts, chain, options)
}

class LightClient implements Light {
  readonly #endpoint: Endpoint
  readonly #chain: RootChain
  readonly #roots: RootFollower
  readonly #newest = new NewestBlocks()
  readonly #timeout: number
  readonly #stop = new AbortController()
  readonly #following: Promise<void>

  constructor({ endpoint, live, onEnd }: LightParts, chain: RootChain, { timeout = TIMEOUT, signal }: LightOptions) {
    this.#endpoint = endpoint
    this.#chain = chain
    this.#timeout = timeout
    this.#roots = new RootFollower(endpoint, live, chain)
    const ended = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    this.#following = this.#roots.follow(ended).then(() => onEnd?.(this))
  }

  get tip(): TrustedRoot {
    return trustedRoot(this.#chain.tip)
  }

  readonly roots: Light['roots'] = () => this.#roots.read()

  readonly account: Light['account'] = async (address, options = {}) => {
    const { cell, block, ...at } = await this.#cell(bytes32(address), options)
    return { address: hex32(address), balance: cell?.balance ?? 0n, lanes: lanesOf(cell), ...asOf(at, block) }
  }

  readonly cell: Light['cell'] = async (id, options = {}) => {
    const { cell, block, ...at } = await this.#cell(bytes32(id), options)
    return { cell: cell ?? undefined, ...asOf(at, block) }
  }

  readonly transaction: Light['transaction'] = (id, { signal } = {}) =>
    this.#within(signal, async (limited) => {
      const hex = hex32(id)
      const { transaction } = await request(this.#endpoint, transactionProofQuery, { id: hex }, limited)
      if (transaction?.rootedProof == null) return undefined
      const bytes = proofBytes(transaction.rootedProof, `transaction ${hex}`)
      const check = (trusted: Uint8Array) => verifyRootedTransaction(bytes, bytes32(id), trusted)
      const { header, receipt, ...at } = await this.#verify(bytes, check, limited)
      return { id: hex, fee: receipt.fee, actions: actionsOf(receipt), ...asOf(at, header) }
    })

  readonly block: Light['block'] = (at, { signal } = {}) =>
    this.#within(signal, async (limited) => {
      const { block } = await request(this.#endpoint, blockProofQuery, variablesOf(at), limited)
      const bytes = proofBytes(block?.rootProof, `block ${at.height} of shard ${at.shard}`)
      const check = (trusted: Uint8Array) => verifyRootedBlock(bytes, at, trusted)
      const { header, headerHash, ...proven } = await this.#verify(bytes, check, limited)
      const { shard, height, basePrice, txCount, congestion } = header
      const figures = { shard, height, hash: toHex(headerHash), time: new Date(header.time), basePrice, txCount }
      return { ...figures, congestion, ...asOf(proven, header) }
    })

  readonly messages: Light['messages'] = (from, to, { signal } = {}) =>
    this.#within(signal, async (limited) => {
      const bytes = proofBytes(
        await this.#messagesProof(from, to, limited),
        `what block ${from.height} of shard ${from.shard} sent`,
      )
      const check = (trusted: Uint8Array) => verifyRootedMessages(bytes, from, to, trusted)
      const { header, items, ...at } = await this.#verify(bytes, check, limited)
      return { messages: items.map(({ message }) => message), ...asOf(at, header) }
    })

  readonly split: Light['split'] = async (shard, options = {}) => {
    const bytes = await this.#within(options.signal, async (limited) => {
      const answer = await request(this.#endpoint, splitProofQuery, { shard }, limited)
      return proofBytes(answer.shard?.splitProof, `the split of shard ${shard}`)
    })
    const proven = verifySplit(bytes)
    if (proven === undefined) throw invalid('CONTENT', `the state of shard ${shard} did not go over to its children`)
    if (proven.parent.shard !== shard) throw invalid('SUBJECT', `it is the split of shard ${proven.parent.shard}`)
    const [left, right] = proven.children
    const listed = (header: BlockHeader, hash: Uint8Array) => this.#listed(header, hash, options)
    const [parent, one, other] = await Promise.all([
      listed(proven.parent, proven.parentHash),
      listed(left, proven.childHashes[0]),
      listed(right, proven.childHashes[1]),
    ])
    return { parent, children: [one, other] }
  }

  readonly exported: Light['exported'] = (key, { signal } = {}) =>
    this.#within(signal, async (limited) => {
      const { height } = this.#chain.tip.header
      const { rootBlock } = await request(this.#endpoint, exportProofQuery, { height: String(height), key }, limited)
      const bytes = proofBytes(rootBlock?.exportProof, `the export ${key}`)
      const check = (trusted: Uint8Array) => verifyRootedExport(bytes, key, trusted)
      const { value, ...at } = await this.#verify(bytes, check, limited)
      // An older root block may have exported something else.
      if (at.root.height < height) throw invalid('STALE', `the node proves an export of root block ${at.root.height}`)
      return { value, ...asOf(at, null) }
    })

  readonly close: Light['close'] = async () => {
    this.#stop.abort()
    await this.#following
  }

  #cell(id: Uint8Array, { realm = 0, signal }: CellOptions): Promise<RootedCell> {
    return this.#within(signal, async (limited) => {
      const seen = this.#newest.copy()
      const place = realm === ROOT_REALM ? { onRoot: true } : { realm }
      const { cellProof } = await request(this.#endpoint, cellProofQuery, { id: toHex(id), ...place }, limited)
      const bytes = proofBytes(cellProof, `cell ${toHex(id)} of realm ${realm}`)
      const proven = await this.#verify(bytes, (trusted) => verifyRootedCell(bytes, { realm, id }, trusted), limited)
      const { shard, height } = proven.block ?? { shard: ROOT_SHARD, height: proven.root.height }
      seen.check(shard, height)
      this.#newest.note(shard, height)
      return proven
    })
  }

  /** A block that a root block lists, if it is this one. */
  async #listed(at: BlockPlace, hash: Uint8Array, options: VerifyOptions): Promise<VerifiedBlock & AsOf> {
    const block = await this.block(at, options)
    if (block.hash === toHex(hash)) return block
    throw invalid('COMMITMENT', `block ${at.height} of shard ${at.shard} is another than the root chain lists`)
  }

  async #messagesProof(from: BlockPlace, to: string, signal: AbortSignal): Promise<string | null | undefined> {
    const variables = { ...variablesOf(from), to }
    if (from.shard !== ROOT_SHARD) {
      return (await request(this.#endpoint, messagesProofQuery, variables, signal)).block?.messagesProof
    }
    const { height } = variables
    return (await request(this.#endpoint, rootMessagesProofQuery, { height, to }, signal)).rootBlock?.messagesProof
  }

  /** Checks a proof against the root block that it leads to, once that one is trusted. */
  async #verify<T extends ProvenAt>(bytes: Uint8Array, check: (trusted: Uint8Array) => T, signal: AbortSignal) {
    const { root, rootHash } = proving(() => rootOfProof(bytes))
    const trusted = await this.#roots.hashAt(root.height, rootHash, signal)
    return proving(() => check(trusted))
  }

  #within<T>(signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ended = this.#stop.signal
    return within(this.#timeout, signal === undefined ? ended : AbortSignal.any([signal, ended]), run)
  }
}

function asOf({ root }: Pick<ProvenAt, 'root'>, block: BlockHeader | null): AsOf {
  return {
    root: { height: root.height, time: new Date(root.time) },
    block: block === null ? undefined : { shard: block.shard, height: block.height, time: new Date(block.time) },
  }
}

function actionsOf({ statuses, errors }: Receipt): VerifiedTransaction['actions'] {
  return Array.from(statuses, (status, i) => {
    const error = errors.find(({ action }) => action === i)
    // The codec refuses other statuses.
    return { status: STATUSES[status] ?? 'DONE', error: error && { code: error.code, message: error.message } }
  })
}

const variablesOf = ({ shard, height }: BlockPlace) => ({ shard, height: String(height) })
