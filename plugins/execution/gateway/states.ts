import { concat } from '../../../protocol/index.ts'
import type { TransactionState, TransactionStatus } from '../api.ts'
import { addOutcomesElsewhere } from '../query/outcome-sums.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { askAll } from '../query/spread.ts'
import { type ShardHost, ShardHostError } from '../shard/shard-host.ts'
import { idKey } from '../state/ledger-cell.ts'
import { KeptTransactions } from './kept.ts'

/** Ids whose end without a block is remembered. */
const MAX_DROPPED = 100_000

/** Finds the present state of transactions: in blocks, in mempools, or dropped from one. */
export class TransactionStates {
  readonly #databases: ShardDatabases
  readonly #hosts: () => readonly ShardHost[]
  readonly #dropped = new Map<string, TransactionStatus>()
  /** What waits in the mempools of the shards that this node runs. */
  readonly kept = new KeptTransactions((id) => this.drop(id, 'EVICTED'))

  constructor(databases: ShardDatabases, hosts: () => readonly ShardHost[]) {
    this.#databases = databases
    this.#hosts = hosts
  }

  /** Remembers transactions that left a mempool without a block. `ids`: 32 bytes each. */
  drop(ids: Uint8Array, status: TransactionStatus): void {
    for (let at = 0; at < ids.length; at += 32) {
      this.#dropped.set(idKey(ids.subarray(at, at + 32)), status)
      if (this.#dropped.size > MAX_DROPPED) {
        const [oldest] = this.#dropped.keys()
        if (oldest !== undefined) this.#dropped.delete(oldest)
      }
    }
  }

  /** Present states, in the order of the ids; null for unknown ones. */
  async find(ids: readonly Uint8Array[]): Promise<(TransactionState | null)[]> {
    if (ids.length === 0) return []
    // Mempools first: a transaction moves from there into a block, never back, so it cannot slip through between.
    const pending = await this.#pending(ids)
    const included = await this.included(ids)
    return ids.map((id, i) => {
      const found = included.get(idKey(id))
      if (found !== undefined) return found
      const wire = pending[i] ?? null
      if (wire !== null) return { id, status: 'PENDING', at: null, pending: wire }
      const status = this.#dropped.get(idKey(id))
      return status === undefined ? null : { id, status, at: null, pending: null }
    })
  }

  /** States of those that are in blocks, by id as a map key. One statement for each database. */
  async included(ids: readonly Uint8Array[]): Promise<Map<string, TransactionState>> {
    const found = await askAll(this.#databases, ids.length, async (sql) => {
      const parameters = [concat(...ids), ids.length]
      const rows = await sql.unsafe<IncludedRow[]>(INCLUDED, parameters as never, { prepare: true })
      await addOutcomesElsewhere(this.#databases, sql, rows)
      const states = new Map(rows.map((row) => [idKey(row.id), stateOf(row)]))
      return ids.map((id) => states.get(idKey(id)) ?? null)
    })
    return new Map(found.flatMap((state) => (state === null ? [] : [[idKey(state.id), state]])))
  }

  async #pending(ids: readonly Uint8Array[]): Promise<(Uint8Array | null)[]> {
    // A shard that crashes meanwhile takes them along, and gets them again.
    const kept = ids.map((id) => this.kept.find(id) ?? null)
    const running = this.#hosts().filter((host) => host.status === 'RUNNING')
    const answers = await Promise.all(running.map((host) => host.ask({ kind: 'pending', ids }).catch(unlessDown)))
    return ids.map((_, i) => answers.reduce((found, answer) => found ?? answer[i] ?? null, kept[i] ?? null))
  }
}

/** @throws anything but that the shard is down */
function unlessDown(error: unknown): readonly null[] {
  if (error instanceof ShardHostError && error.code === 'SHARD_UNAVAILABLE') return []
  throw error
}

interface IncludedRow {
  readonly id: Uint8Array
  readonly shard: string
  readonly height: bigint
  refused: boolean
  readonly remote: number
  open: number
}

function stateOf({ id, shard, height, refused, open }: IncludedRow): TransactionState {
  const status = open > 0 ? 'INCLUDED' : refused ? 'FAILED' : 'EXECUTED'
  return { id, status, at: { shard, height: Number(height) }, pending: null }
}

const INCLUDED = `
SELECT tx.id, tx.shard, tx.height, tx.remote,
  tx.refused OR coalesce(done.refused, false) AS refused, tx.remote + coalesce(done.delta, 0)::integer AS open
FROM generate_series(0, $2::int - 1) AS i
JOIN tx ON tx.id = substring($1::bytea from 32 * i + 1 for 32)
LEFT JOIN LATERAL (
  SELECT sum(delta) AS delta, bool_or(refused) AS refused FROM outcome WHERE outcome.tx = tx.id
) AS done ON true`

/** True if nothing will change any more. */
export const isFinal = (status: TransactionStatus): boolean => status !== 'PENDING' && status !== 'INCLUDED'
