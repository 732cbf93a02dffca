import { receiptProof } from '../../../plugins/execution/proofs/receipt-proof.ts'
import type { RootProofs } from '../../../plugins/execution/proofs/root-proofs.ts'
import { exportsAt } from '../../../plugins/execution/query/root-blocks.ts'
import type { TestChain } from '../../../plugins/execution/testing.ts'
import {
  decodeCell,
  decodeReceipt,
  encodeBlockProof,
  type ProvenAt,
  parseShardId,
  ROOT_REALM,
  ROOT_SHARD,
  splitReceipts,
  verifyRootedBlock,
  verifyRootedCell,
  verifyRootedExport,
  verifyRootedMessages,
  verifyRootedTransaction,
} from '../../../protocol/index.ts'
import type { Random } from '../random.ts'

/** A real proof, and how its answer is checked. */
export interface Proven {
  readonly kind: string
  readonly bytes: Uint8Array
  /** @throws ProofInvalidError */
  check(bytes: Uint8Array, trusted: Uint8Array): ProvenAt
}

interface StoredBlock {
  readonly shard: string
  readonly height: number
  readonly header: Uint8Array
  readonly receipts: Uint8Array
  readonly outgoing: Uint8Array
}

/** Everything on a ledger that can be proven. */
export class ProofQuestions {
  readonly #net: TestChain
  readonly #proofs: RootProofs
  readonly #blocks: readonly StoredBlock[]
  readonly #roots: readonly { readonly height: number; readonly header: Uint8Array; readonly outgoing: Uint8Array }[]
  /** Ids of all cells, by realm. */
  readonly #cells: ReadonlyMap<number, readonly Uint8Array[]>

  private constructor(
    net: TestChain,
    proofs: RootProofs,
    found: {
      readonly blocks: readonly StoredBlock[]
      readonly roots: readonly { readonly height: number; readonly header: Uint8Array; readonly outgoing: Uint8Array }[]
      readonly cells: ReadonlyMap<number, readonly Uint8Array[]>
    },
  ) {
    this.#net = net
    this.#proofs = proofs
    this.#blocks = found.blocks
    this.#roots = found.roots
    this.#cells = found.cells
  }

  /** Looks at what is stored. */
  static async of(net: TestChain, proofs: RootProofs): Promise<ProofQuestions> {
    const { sql } = net
    const blocks = await sql<(Omit<StoredBlock, 'height'> & { readonly height: bigint })[]>`
      SELECT shard, height, header, receipts, outgoing FROM block JOIN root_entry USING (shard, height)`
    const roots = await sql<{ height: bigint; header: Buffer; outgoing: Buffer }[]>`
      SELECT height, header, outgoing FROM root_block`
    const cells = await sql<{ realm: bigint; record: Buffer }[]>`SELECT realm, record FROM cell`
    const ids = cells.map(({ realm, record }) => ({ realm: Number(realm), id: decodeCell(record).id }))
    const byRealm = Map.groupBy(ids, ({ realm }) => realm)
    return new ProofQuestions(net, proofs, {
      blocks: blocks.map((block) => ({ ...block, height: Number(block.height) })),
      roots: roots.map((root) => ({ ...root, height: Number(root.height) })),
      cells: new Map([...byRealm].map(([realm, cells]) => [realm, cells.map(({ id }) => id)])),
    })
  }

  /** A proof of a random kind about a random subject. */
  ask(random: Random): Promise<Proven> {
    const kinds = [this.#block, this.#transaction, this.#messages, this.#rootMessages, this.#export]
    const cells = [0, 0, 1, ROOT_REALM].map((realm) => (random: Random) => this.#cell(random, realm))
    return random.pick([...kinds, ...cells])(random)
  }

  readonly #block = async (random: Random): Promise<Proven> => {
    const block = random.pick(this.#blocks)
    const bytes = await this.#proofs.lead(encodeBlockProof(block.header))
    return { kind: 'blocks', bytes, check: (forged, trusted) => verifyRootedBlock(forged, block, trusted) }
  }

  readonly #transaction = async (random: Random): Promise<Proven> => {
    const block = random.pick(this.#blocks.filter(({ receipts }) => receipts.length > 0))
    const receipts = splitReceipts(block.receipts)
    const index = random.below(receipts.length)
    const { id } = decodeReceipt(receipts[index] as Uint8Array)
    const proof = receiptProof(block.header, block.receipts, index) as Uint8Array
    const bytes = await this.#proofs.lead(proof)
    return { kind: 'transactions', bytes, check: (forged, trusted) => verifyRootedTransaction(forged, id, trusted) }
  }

  readonly #messages = async (random: Random): Promise<Proven> => {
    const sending = this.#blocks.filter(({ outgoing }) => outgoing.length > 0)
    const block = random.pick(random.percent(80) ? sending : this.#blocks)
    const to = random.pick(['0:', '0:0', '0:1', '0:01', '0:110', '1:', '7:', ROOT_SHARD])
    const bytes = await this.#proofs.messages(block.header, block.outgoing, parseShardId(to))
    return { kind: 'messages', bytes, check: (forged, trusted) => verifyRootedMessages(forged, block, to, trusted) }
  }

  readonly #rootMessages = async (random: Random): Promise<Proven> => {
    const sending = this.#roots.filter(({ outgoing }) => outgoing.length > 0)
    const root = random.pick(sending.length > 0 && random.percent(80) ? sending : this.#roots)
    const to = random.pick(['0:', '0:0', '0:1', '1:'])
    const bytes = await this.#proofs.messages(root.header, root.outgoing, parseShardId(to))
    const from = { shard: ROOT_SHARD, height: root.height }
    return { kind: 'root messages', bytes, check: (forged, trusted) => verifyRootedMessages(forged, from, to, trusted) }
  }

  readonly #export = async (random: Random): Promise<Proven> => {
    const root = random.pick(this.#roots)
    const known = await exportsAt(this.#net.sql, root.height)
    const key = random.percent(60) ? random.pick(known)[0] : `shard/${random.below(99)}:`
    const bytes = await this.#proofs.export(root.header, key)
    return { kind: 'exports', bytes, check: (forged, trusted) => verifyRootedExport(forged, key, trusted) }
  }

  async #cell(random: Random, realm: number): Promise<Proven> {
    const known = this.#cells.get(realm) ?? []
    const exists = known.length > 0 && random.percent(60)
    const id = exists ? random.pick(known) : random.bytes(32)
    const proof = await this.#net.chain.proof(realm, id)
    if (proof === null) throw new RangeError(`there is no realm ${realm}`)
    const bytes = await this.#proofs.lead(proof)
    const kind = exists ? 'cells' : 'absent cells'
    return { kind, bytes, check: (forged, trusted) => verifyRootedCell(forged, { realm, id }, trusted) }
  }
}
