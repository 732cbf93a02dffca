import type { CellPlace } from './loaders.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'

/** What the field `rootedProof` of cells and accounts says of itself. */
export const ROOTED =
  'The same, led on to a root block: CBOR [proof, root header, list proof]. Waits for the root block that lists the ' +
  'header up to 5 s.'

/** Proves what a cell is, or that there is none. Both give null if there is no such realm. */
export function cellProofs({ ledger, proofs }: Setting) {
  return {
    /** Against a header of its shard. */
    proof: ({ realm, id }: CellPlace): Promise<Uint8Array | null> => told(() => ledger().proof(realm, id)),
    /** Led on to a root block. */
    rootedProof: ({ realm, id }: CellPlace): Promise<Uint8Array | null> =>
      told(async () => {
        const proof = await ledger().proof(realm, id)
        return proof && proofs.lead(proof)
      }),
  }
}
