/** For tests and vectors: a small chain whose bytes are all known, with a rooted proof of each kind. */
import { compare } from './bytes.ts'
import { encode } from './cbor.ts'
import { type Cell, cellPath, encodeCell, valueHash } from './cell.ts'
import { encodeCellProof } from './cell-proof.ts'
import { encodeExport, exportEntry, exportPath, exportsRoot } from './export-path.ts'
import { encodeExportProof, verifyRootedExport } from './export-proof.ts'
import { encodeHeader, headerHash } from './header.ts'
import { encodeListProof, listProof, listRoot } from './list.ts'
import { encodeOutItem, type OutItem } from './message.ts'
import { encodeMessagesProof, messagesProof } from './messages-proof.ts'
import { encodeReceipt, STATUS } from './receipt.ts'
import { encodeCommittedHeader, encodeRootHeader, headersRoot, rootHeaderHash, sortCommitted } from './root.ts'
import { encodeBlockProof, verifyRootedBlock, verifyRootedMessages, verifyRootedTransaction } from './rooted-block.ts'
import { verifyRootedCell } from './rooted-cell.ts'
import { encodeRootedProof, type ProvenAt } from './rooted-proof.ts'
import { parseShardId, ROOT_REALM, ROOT_SHARD } from './shard-id.ts'
import { bytesOf } from './testing.ts'
import { trieRoot } from './trie.ts'
import { trieProof } from './trie-proof.ts'

/** A proof, what it is about, and how it is checked. */
export interface ProofSample {
  readonly name: string
  /** What was asked for. */
  readonly about: { readonly [key: string]: string | number | Uint8Array }
  readonly bytes: Uint8Array
  /** @throws ProofInvalidError */
  check(bytes: Uint8Array, trusted: Uint8Array): ProvenAt
}

export interface ProofSamples {
  /** CBOR of the root header that all of them lead to. */
  readonly root: Uint8Array
  /** Its hash. */
  readonly trusted: Uint8Array
  readonly samples: readonly ProofSample[]
}

const SHARD = parseShardId('0:0')
const BLOCK = { shard: SHARD.id, height: 12 }
const ROOT_BLOCK = { shard: ROOT_SHARD, height: 77 }

const cellOf = (seed: number): Cell => ({
  id: bytesOf(32, seed),
  owner: 'account',
  balance: BigInt(seed) * 1000n,
  value: null,
})
/** Cells of the shard's half of the realm, and of the other. */
const all = Array.from({ length: 40 }, (_, seed) => cellOf(seed))
const isLow = ({ id }: Cell): boolean => cellPath(id)[0]! < 0x80
const low = all.filter(isLow)
const high = all.filter((cell) => !isLow(cell))
const entryOf = (cell: Cell) => ({ key: cellPath(cell.id), valueHash: valueHash(encodeCell(cell)) })

const cells = low.slice(0, 6)
const absent = low[6]!
const rootCells = all.slice(0, 3)
const exported = ['realm/0', 'shard/0:0', 'shard/0:1', 'price'].map(
  (key, i) => [key, encode({ from: i, parent: null })] as const,
)
const receipts = [1, 2, 3].map((seed) =>
  encodeReceipt({
    id: bytesOf(32, seed),
    statuses: Uint8Array.of(STATUS.SENT, STATUS.REFUSED),
    fee: 40n,
    errors: [{ action: 1, code: 'WRONG_OWNER', message: 'the cell belongs to another module' }],
  }),
)
const out = outItems([...low.slice(0, 2), ...high.slice(0, 3)])
const rootOut = outItems(low.slice(2, 4))

const header = encodeHeader({
  ...BLOCK,
  prevHash: bytesOf(32, 1),
  rootCursor: 70,
  txRoot: listRoot(receipts),
  outRoot: listRoot(out),
  cellsRoot: trieRoot(cells.map(entryOf), 1),
  deferredRoot: new Uint8Array(32),
  arrivals: 5,
  basePrice: 1n,
  bodyHash: bytesOf(32, 2),
  txCount: receipts.length,
  txWeight: 60n,
  weight: 90n,
  congestion: 0,
  time: 1_750_000_000_000,
})
const committed = sortCommitted([
  { ...BLOCK, hash: headerHash(header) },
  { shard: '0:0', height: 11, hash: bytesOf(32, 3) },
  { shard: '0:1', height: 40, hash: bytesOf(32, 4) },
])
const root = encodeRootHeader({
  height: ROOT_BLOCK.height,
  prevHash: bytesOf(32, 5),
  time: 1_750_000_000_100,
  headersRoot: headersRoot(committed),
  cellsRoot: trieRoot(rootCells.map(entryOf), 0),
  outRoot: listRoot(rootOut),
  exportsRoot: exportsRoot(exported),
  reveal: bytesOf(32, 6),
  random: bytesOf(32, 7),
  anchor: bytesOf(32, 8),
})

function outItems(to: readonly Cell[]): Uint8Array[] {
  const items = to.map(({ id }, index): OutItem => {
    const from = bytesOf(32, 9)
    const message = {
      kind: 'call',
      origin: bytesOf(32, index),
      action: 0,
      from,
      fromRealm: 0,
      module: 'account',
    } as const
    const call = { to: id, realm: 0, call: 'account.credit', args: {}, value: 7n, payer: from, payerRealm: 0, code: '' }
    return { realm: 0, destPath: cellPath(id), index, message: { ...message, ...call } }
  })
  return items.sort((a, b) => compare(a.destPath, b.destPath)).map(encodeOutItem)
}

const listed = (proof: Uint8Array): Uint8Array => {
  const index = committed.findIndex(({ height }) => height === BLOCK.height)
  return encodeRootedProof({ proof, listed: { root, place: listProof(committed.map(encodeCommittedHeader), index) } })
}
const bare = (proof: Uint8Array): Uint8Array => encodeRootedProof({ proof, listed: null })

function cellSample(name: string, realm: number, cell: Cell, has: boolean): ProofSample {
  const isRoot = realm === ROOT_REALM
  const entries = (isRoot ? rootCells : cells).map(entryOf)
  const path = trieProof(entries, cellPath(cell.id), isRoot ? 0 : SHARD.prefix.length)
  const proof = encodeCellProof({ header: isRoot ? root : header, record: has ? encodeCell(cell) : null, path })
  return {
    name,
    about: { realm, id: cell.id },
    bytes: isRoot ? bare(proof) : listed(proof),
    check: (bytes, trusted) => verifyRootedCell(bytes, { realm, id: cell.id }, trusted),
  }
}

function exportSample(name: string, key: string): ProofSample {
  const entries = exported.map(([name, value]) => exportEntry(name, value))
  const value = exported.find(([name]) => name === key)?.[1]
  const record = value === undefined ? null : encodeExport(key, value)
  const proof = encodeExportProof({ header: root, record, path: trieProof(entries, exportPath(key), 0) })
  return {
    name,
    about: { key },
    bytes: bare(proof),
    check: (bytes, trusted) => verifyRootedExport(bytes, key, trusted),
  }
}

function messagesSample(name: string, from: typeof BLOCK, to: string): ProofSample {
  const isRoot = from === ROOT_BLOCK
  const proof = encodeMessagesProof(messagesProof(isRoot ? root : header, isRoot ? rootOut : out, parseShardId(to)))
  return {
    name,
    about: { ...from, to },
    bytes: isRoot ? bare(proof) : listed(proof),
    check: (bytes, trusted) => verifyRootedMessages(bytes, from, to, trusted),
  }
}

function transactionSample(name: string, index: number): ProofSample {
  const id = bytesOf(32, index + 1)
  const proof = encode([header, receipts[index]!, encodeListProof(listProof(receipts, index))])
  return {
    name,
    about: { id },
    bytes: listed(proof),
    check: (bytes, trusted) => verifyRootedTransaction(bytes, id, trusted),
  }
}

/** A proof of each kind, all led to one root header. */
export function proofSamples(): ProofSamples {
  const block: ProofSample = {
    name: 'a block',
    about: BLOCK,
    bytes: listed(encodeBlockProof(header)),
    check: (bytes, trusted) => verifyRootedBlock(bytes, BLOCK, trusted),
  }
  const samples = [
    block,
    transactionSample('a transaction', 1),
    cellSample('a cell', 0, cells[2]!, true),
    cellSample('a cell that does not exist', 0, absent, false),
    cellSample('a cell of the root chain', ROOT_REALM, rootCells[1]!, true),
    cellSample('a cell that the root chain does not have', ROOT_REALM, all[9]!, false),
    exportSample('an export', 'shard/0:1'),
    exportSample('a key without an export', 'shard/9:'),
    messagesSample('all messages to a shard', BLOCK, '0:1'),
    messagesSample('all messages to a realm', BLOCK, '0:'),
    messagesSample('no messages to a realm', BLOCK, '5:'),
    messagesSample('what the root chain sent', ROOT_BLOCK, '0:0'),
  ]
  return { root, trusted: rootHeaderHash(root), samples }
}
