import {
  type CommittedHeader,
  decodeHeader,
  decodeOutItem,
  decodeRootHeader,
  decodeVotes,
  equal,
  headerHash,
  headersRoot,
  listRoot,
  MAX_PREFIX,
  parseShardId,
  Reader,
  ROOT_REALM,
  rootHeaderHash,
  type Shard,
  shardHolds,
  sortCommitted,
  toHex,
  votingBytes,
} from '../../../protocol/index.ts'
import { verify } from '../../../server/crypto/ed25519.ts'
import type { Network } from '../genesis.ts'
import { ExportTrie } from '../root/export-trie.ts'
import { decodeExportChanges } from '../root/exports.ts'
import { decodeEntries, encodeEntries } from '../root/root-store.ts'
import { RootView } from '../root/root-view.ts'
import { splitOut } from '../shard/out-index.ts'
import { falseState } from './errors.ts'
import { MAX_ITEMS } from './sections.ts'
import type { SentBlock, SnapshotHead, SnapshotRoot } from './visitor.ts'

const WHOLE = 1n << BigInt(MAX_PREFIX)

/**
 * Checks the root blocks of a snapshot: each links to the one before, lists the blocks that it says, and the last is
 * signed; each shard's last block is the last that they list of it, and no shard is left out.
 */
export class RootWindow {
  readonly #head: SnapshotHead
  #tip: SnapshotRoot | undefined
  /** Blocks of the tip that `sent` has not told of yet. */
  #expected: CommittedHeader[] = []
  /** The last block that was listed, by shard. */
  readonly #listed = new Map<string, CommittedHeader>()
  readonly #exports = new ExportTrie()
  /** What the root chain exports as of the tip. */
  #view = RootView.EMPTY
  #pending = 0n

  constructor(head: SnapshotHead) {
    this.#head = head
  }

  /** Values that shards have not taken in, in the smallest unit. */
  get pending(): bigint {
    return this.#pending
  }

  /** @throws SnapshotError FALSE_STATE */
  root(encoded: Uint8Array, encodedEntries: Uint8Array, changes: Uint8Array, outgoing: Uint8Array): SnapshotRoot {
    const before = this.#tip
    const height = before === undefined ? this.#head.from : before.header.height + 1
    this.#mustBeComplete()
    const header = decodeRootHeader(encoded)
    if (header.height !== height || height > this.#head.height)
      throw falseState(`root block ${header.height} stands where ${height} should`)
    if (before !== undefined && !equal(header.prevHash, before.hash))
      throw falseState(`root block ${height} does not follow the one before`)
    const entries = decodeEntries(encodedEntries)
    new Reader(changes).skip(MAX_ITEMS)
    const exports = decodeExportChanges(changes)
    if (before === undefined && exports.length > 0)
      throw falseState('what the first root block exported stands there twice')
    const changed = before === undefined ? this.#head.exports : exports
    if (new Set(changed.map(([key]) => key)).size < changed.length)
      throw falseState(`root block ${height} exports a key twice`)
    this.#exports.update(changed)
    // In any other order an earlier block of a shard could pass for its last one, and messages would arrive in another order.
    const isSame =
      equal(encodeEntries(sortCommitted(entries)), encodedEntries) &&
      equal(headersRoot(entries), header.headersRoot) &&
      equal(listRoot(splitOut(outgoing)), header.outRoot) &&
      equal(this.#exports.root, header.exportsRoot)
    if (!isSame) throw falseState(`root block ${height} lists, sends or exports something else`)
    // Read only now that the root block says the same.
    this.#view = before === undefined ? RootView.EMPTY.with(this.#head.exports) : this.#view.with(exports)
    // What the first one lists, every shard has taken in.
    if (before !== undefined) {
      this.#expected = [...entries]
      this.#await(before.outgoing, height)
    }
    for (const entry of entries) this.#listed.set(entry.shard, entry)
    this.#tip = { header, encoded, hash: rootHeaderHash(encoded), entries, encodedEntries, exports, outgoing }
    return this.#tip
  }

  /** @throws SnapshotError FALSE_STATE */
  sent(encoded: Uint8Array, outgoing: Uint8Array): { readonly block: SentBlock; readonly root: SnapshotRoot } {
    const entry = this.#expected.shift()
    const root = this.#tip
    if (entry === undefined || root === undefined) throw falseState('it has a block that no root block lists')
    const hash = headerHash(encoded)
    const header = decodeHeader(encoded)
    const name = `block ${entry.height} of shard ${entry.shard}`
    if (!equal(hash, entry.hash) || header.shard !== entry.shard || header.height !== entry.height)
      throw falseState(`${name} has another header`)
    if (!equal(listRoot(splitOut(outgoing)), header.outRoot)) throw falseState(`${name} sent other messages`)
    this.#await(outgoing, root.header.height)
    return { block: { header, encoded, hash, outgoing }, root }
  }

  /** @throws SnapshotError FALSE_STATE */
  votes(encoded: Uint8Array): SnapshotRoot {
    this.#mustBeComplete()
    const { network, height } = this.#head
    const root = this.#tip
    if (root === undefined || root.header.height !== height) throw falseState(`root block ${height} is missing`)
    if (countGood(network, encoded, votingBytes(root.hash)) < network.genesis.quorum)
      throw falseState(`root block ${height} is not signed by ${network.genesis.quorum} of the validators`)
    // Nobody has got what it sent: it comes with the next one.
    this.#await(root.outgoing, height + 1)
    this.#checkShards()
    return root
  }

  /** Counts the values, among what a root block delivers, that their receivers have not taken in. */
  #await(outgoing: Uint8Array, rootHeight: number): void {
    for (const item of splitOut(outgoing)) {
      const { realm, destPath, message } = decodeOutItem(item)
      const shard = this.#head.shards.find(({ space }) => shardHolds(space, realm, destPath))
      // The root chain takes in with each block what the one before lists.
      const cursor = realm === ROOT_REALM ? this.#head.height - 1 : (shard?.header.rootCursor ?? -1)
      if (rootHeight > cursor) this.#pending += message.value
    }
  }

  /** The cut has exactly the shards that there are, each with its last block. */
  #checkShards(): void {
    const { shards } = this.#head
    for (const { space, hash } of shards) {
      const last = this.#listed.get(space.id)
      if (last === undefined || !equal(last.hash, hash))
        throw falseState(`its last block of shard ${space.id} is not the last that the root chain lists`)
    }
    const known = new Set(shards.map(({ space }) => space.id))
    for (const id of this.#listed.keys()) {
      // It was split if its halves have begun: their first blocks are listed behind its last.
      const isSplit = this.#listed.has(`${id}0`) && this.#listed.has(`${id}1`)
      if (!known.has(id) && !isSplit) throw falseState(`shard ${id} is left out`)
    }
    checkCover([...shards.map(({ space }) => space), ...this.#toCome()], this.#view)
  }

  /** Shards that begin with one of these root blocks, and whose first blocks are not listed yet. */
  #toCome(): Shard[] {
    const found = [...this.#view.shards].filter(
      ([id, { from, parent }]) => parent === null && from >= this.#head.from && !this.#listed.has(id),
    )
    return found.map(([id]) => parseShardId(id))
  }

  #mustBeComplete(): void {
    const [missing] = this.#expected
    if (missing !== undefined) throw falseState(`block ${missing.height} of shard ${missing.shard} is missing`)
  }
}

/** Each realm that the root chain knows is covered by its shards, once. */
function checkCover(shards: readonly Shard[], view: RootView): void {
  const covered = new Map([...view.shards.keys()].map((id) => [parseShardId(id).realm, 0n]))
  for (const { realm, prefix } of shards)
    covered.set(realm, (covered.get(realm) ?? 0n) + (WHOLE >> BigInt(prefix.length)))
  for (const [realm, share] of covered) {
    if (share !== WHOLE) throw falseState(`its shards do not make up realm ${realm}`)
  }
  const twice = shards.find(({ id, realm, prefix }) =>
    shards.some((other) => other.id !== id && other.realm === realm && other.prefix.startsWith(prefix)),
  )
  if (twice !== undefined) throw falseState(`shard ${twice.id} and a half of it are both there`)
}

/** How many validators signed. */
function countGood({ genesis }: Network, encoded: Uint8Array, message: Uint8Array): number {
  const good = decodeVotes(encoded).filter(
    ({ validator, signature }) =>
      genesis.validators.some((known) => equal(known, validator)) && verify(signature, message, validator),
  )
  return new Set(good.map(({ validator }) => toHex(validator))).size
}
