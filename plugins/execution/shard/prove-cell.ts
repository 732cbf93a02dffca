import { cellPath, decodeHeader, encodeCellProof, equal, leafHash, valueHash } from '../../../protocol/index.ts'
import { idKey, isEmpty, sealRecord } from '../state/ledger-cell.ts'
import type { ShardEngine } from './engine.ts'

/** Blocks may be made while a record is read from the database: so often it is tried again. */
const ATTEMPTS = 20

/** The shard was too busy to hold still for a proof. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
  readonly code = 'SHARD_BUSY'
}

/** Proves what a cell is, or that there is none, against a header that is durable when this resolves. */
export async function proveCell(engine: ShardEngine, id: Uint8Array): Promise<Uint8Array> {
  const key = cellPath(id)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await engine.load([id])
    // From here to the header all is read at one moment: the trie changes only when a block is sealed.
    const { siblings, end } = engine.trie.path(key)
    const { header } = engine
    const own = engine.cells.readSealed(idKey(id))
    const ownRecord = own === undefined || isEmpty(own) ? null : sealRecord(own)
    const record = end !== null && equal(end.key, key) ? ownRecord : null
    const endRecord = end === null ? null : (record ?? (await recordAt(engine, end.key)))
    if (end !== null) {
      if (endRecord === null || !equal(leafHash(end.key, valueHash(endRecord)), end.leaf)) continue
    }
    await engine.durable(decodeHeader(header).height)
    const path =
      end === null || endRecord === null
        ? { siblings }
        : { siblings, leaf: { key: end.key, valueHash: valueHash(endRecord) } }
    return encodeCellProof({ header, record, path })
  }
  throw new ProofError('the shard is too busy to prove this cell now: try again in a moment')
}

/** The record of a cell that is known by its path only. */
async function recordAt(engine: ShardEngine, path: Uint8Array): Promise<Uint8Array | null> {
  const unfolded = engine.cells.findUnfolded(path)
  if (unfolded !== undefined) return isEmpty(unfolded) ? null : sealRecord(unfolded)
  const [row] = await engine.parts.store.records([path])
  return row?.record ?? null
}
