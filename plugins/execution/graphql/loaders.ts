import DataLoader from 'dataloader'
import type { Receipt } from '../../../protocol/index.ts'
import { decodeTransaction, type Transaction } from '../../../protocol/index.ts'
import type { Context } from '../../../schema/index.ts'
import type { BlockPlace, CellState, Ledger, TransactionState } from '../api.ts'
import { eventsOfTransactions, type TransactionAtBlock, type TransactionEvent } from '../query/block-events.ts'
import { type BlockRow, blocksByPlace, outgoingByPlace, placeKey, receiptsByPlace } from '../query/blocks.ts'
import { idKey } from '../query/keys.ts'
import { type BlockOutcome, outcomesById } from '../query/outcomes.ts'
import { type RootBlockRow, rootBlocksByPlace } from '../query/root-blocks.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { contentsById } from '../query/transaction-content.ts'
import { type BlockSlice, transactionsOfBlocks } from '../query/transaction-pages.ts'
import { type TransactionRow, transactionsById } from '../query/transaction-row.ts'
import { fillFromLedger } from './fill-from-ledger.ts'
import type { HeightBook, Seen } from './heights.ts'
import { told } from './told.ts'

/** How a transaction stands: in a block, or as the ledger knows it while it is in none. */
export interface Standing {
  readonly row: TransactionRow | null
  readonly state: TransactionState | null
}

/** What is in a transaction. */
export interface TransactionBody {
  readonly wire: Uint8Array
  readonly transaction: Transaction
  /** Null while it is in no block. */
  readonly receipt: Receipt | null
}

/** Names a cell in a realm. */
export interface CellPlace {
  readonly realm: number
  readonly id: Uint8Array
}

/** Everything that resolvers read, gathered over a request: each relation costs one statement, however many ask. */
export interface Loaders {
  readonly standings: DataLoader<Uint8Array, Standing, string>
  readonly bodies: DataLoader<Uint8Array, TransactionBody | null, string>
  readonly outcomes: DataLoader<Uint8Array, readonly BlockOutcome[], string>
  readonly events: DataLoader<TransactionAtBlock, readonly TransactionEvent[], string>
  readonly blocks: DataLoader<BlockPlace, BlockRow | null, string>
  readonly receipts: DataLoader<BlockPlace, Uint8Array | null, string>
  readonly outgoing: DataLoader<BlockPlace, Uint8Array | null, string>
  readonly rootBlocks: DataLoader<BlockPlace, RootBlockRow | null, string>
  readonly blockTransactions: DataLoader<BlockSlice, readonly TransactionRow[], string>
  readonly cells: DataLoader<CellPlace, CellState | null, string>
}

/** Gives each request its loaders, so that what one request read is never another's answer. */
export class RequestLoaders {
  readonly #byContext = new WeakMap<Context, Loaders>()
  readonly #heights: HeightBook
  readonly #make: (seen: Seen) => Loaders

  /** The services are taken when something is loaded: a schema can be built without them. */
  constructor(databases: () => ShardDatabases, ledger: () => Ledger, heights: HeightBook) {
    this.#heights = heights
    this.#make = (seen) => makeLoaders(databases(), ledger(), seen)
  }

  of(context: Context): Loaders {
    const known = this.#byContext.get(context)
    if (known !== undefined) return known
    const loaders = this.#make(this.#heights.seenBy(context))
    this.#byContext.set(context, loaders)
    return loaders
  }

  /** Forgets what was read: after a mutation, and before each result of a subscription, which share one context. */
  renew(context: Context): void {
    this.#byContext.delete(context)
    this.#heights.renew(context)
  }
}

function makeLoaders(databases: ShardDatabases, ledger: Ledger, seen: Seen): Loaders {
  const noting = <Place extends BlockPlace>(places: readonly Place[]): readonly Place[] => {
    for (const { shard } of places) seen.shard(shard)
    return places
  }
  return {
    standings: loader(idKey, async (ids) => {
      const rows = await fillFromLedger(ledger, ids, (some) => transactionsById(databases, some))
      for (const { found, state } of rows) seen.shard(found?.shard ?? state?.at?.shard)
      return rows.map(({ found, state }) => ({ row: found, state }))
    }),
    bodies: loader(idKey, async (ids) => {
      const contents = await fillFromLedger(ledger, ids, (some) => contentsById(databases, some))
      return contents.map(({ found, state }) => {
        const wire = found?.wire ?? state?.pending ?? null
        return wire && { wire, transaction: decodeTransaction(wire), receipt: found?.receipt ?? null }
      })
    }),
    outcomes: loader(idKey, (ids) => outcomesById(databases, ids)),
    events: loader(
      (at) => `${placeKey(at)}/${idKey(at.id)}`,
      (wanted) => eventsOfTransactions(databases, wanted),
    ),
    blocks: loader(placeKey, (places) => blocksByPlace(databases, noting(places))),
    receipts: loader(placeKey, (places) => receiptsByPlace(databases, noting(places)), 16),
    outgoing: loader(placeKey, (places) => outgoingByPlace(databases, noting(places)), 16),
    rootBlocks: loader(placeKey, (places) => rootBlocksByPlace(databases.main, noting(places))),
    blockTransactions: loader(
      (slice) => `${placeKey(slice)}/${slice.from}/${slice.limit}`,
      (slices) => transactionsOfBlocks(databases, noting(slices)),
    ),
    cells: loader(
      ({ realm, id }) => `${realm}/${idKey(id)}`,
      async (places) => {
        const cells = new Array<CellState | null>(places.length).fill(null)
        const byRealm = Map.groupBy(places.keys(), (index) => places[index]?.realm ?? 0)
        for (const [realm, indexes] of byRealm) {
          const ids = indexes.flatMap((index) => places[index]?.id ?? [])
          for (const id of ids) seen.shard(ledger.shardOf(realm, id))
          const found = await told(() => ledger.cells(realm, ids))
          indexes.forEach((index, at) => {
            cells[index] = found[at] ?? null
          })
        }
        return cells
      },
    ),
  }
}

function loader<Key, Value>(
  cacheKeyFn: (key: Key) => string,
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  maxBatchSize = 1000,
): DataLoader<Key, Value, string> {
  return new DataLoader(async (keys) => load(keys), { cacheKeyFn, maxBatchSize })
}
