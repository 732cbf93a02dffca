import { peerCall, peerStream } from '../../../server/plugin.ts'
import type { CellState, Simulation, SubmitOutcome, TransactionState, Wait } from '../api.ts'
import type { Snapshot } from './snapshot.ts'

/** The leader job: it makes the blocks. */
export const CHAIN_JOB = 'chain'

/** What every node asks the one that makes the blocks. Repeatable: a transaction is done once, however often it comes. */
const repeatable = { repeatable: true }

export const Submit = peerCall<
  { readonly wires: readonly Uint8Array[]; readonly wait: Wait },
  readonly SubmitOutcome[]
>(CHAIN_JOB, 'submit', repeatable)

export const Simulate = peerCall<Uint8Array, Simulation>(CHAIN_JOB, 'simulate', repeatable)

export const States = peerCall<readonly Uint8Array[], readonly (TransactionState | null)[]>(
  CHAIN_JOB,
  'states',
  repeatable,
)

export const Cells = peerCall<
  { readonly realm: number; readonly ids: readonly Uint8Array[] },
  readonly (CellState | null)[]
>(CHAIN_JOB, 'cells', repeatable)

export const Proof = peerCall<{ readonly realm: number; readonly id: Uint8Array }, Uint8Array | null>(
  CHAIN_JOB,
  'proof',
  repeatable,
)

/** Not repeatable: each call makes a payment of its own. */
export const Faucet = peerCall<Uint8Array, SubmitOutcome>(CHAIN_JOB, 'faucet')

/** A transaction's states, as `Ledger.watch` gives them. */
export const Watch = peerStream<Uint8Array, TransactionState>(CHAIN_JOB, 'watch')

/** What the ledger looks like: at once, then whenever that has changed. */
export const Snapshots = peerStream<null, Snapshot>(CHAIN_JOB, 'snapshots')
