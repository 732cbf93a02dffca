import { z } from 'zod'
import {
  apiError,
  type Connection,
  type KeysetCursor,
  keysetCursor,
  type PageArgs,
  pageCost,
  pageSize,
} from '../../../schema/index.ts'
import type { TransactionStatus } from '../api.ts'
import {
  newestTransactions,
  type PlaceKey,
  placeOf,
  type TimedPlaceKey,
  type TransactionFilter,
  timedPlaceOf,
  transactionsOf,
} from '../query/transaction-pages.ts'
import type { TransactionRow } from '../query/transaction-row.ts'
import { nextTransactions, type ReadAfter, scanTransactions } from '../query/transaction-scan.ts'
import { thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'
import { findTransaction, fromRow, type KnownTransaction } from './transaction-source.ts'

const place = [z.string().max(100), z.int(), z.int()] as const
const byPlace: KeysetCursor<TransactionRow, PlaceKey> = keysetCursor('transaction', z.tuple([...place]), placeOf)
const byTime: KeysetCursor<TransactionRow, TimedPlaceKey> = keysetCursor(
  'timed-transaction',
  z.tuple([z.int(), ...place]),
  timedPlaceOf,
)

const LISTED: readonly TransactionStatus[] = ['INCLUDED', 'EXECUTED', 'FAILED']

/** One page, newest first. It may be short, with a next page, when many had to be skipped for their status. */
async function page<Key>(
  args: PageArgs,
  status: TransactionStatus | null | undefined,
  cursor: KeysetCursor<TransactionRow, Key>,
  keyOf: (row: TransactionRow) => Key,
  read: ReadAfter<Key>,
): Promise<Connection<KnownTransaction>> {
  const size = pageSize(args)
  const after = args.after == null ? undefined : cursor.decode(args.after)
  const { rows, next } =
    status == null
      ? await nextTransactions(read, size, after)
      : await scanTransactions({ read, keyOf, matches: (row) => row.status === status, size, after })
  const edges = rows.map((row) => ({ cursor: cursor.encode(row), node: fromRow(row) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: next !== undefined,
      hasPreviousPage: after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: next === undefined ? (edges.at(-1)?.cursor ?? null) : cursor.encode(next),
    },
  }
}

/** The queries `transaction` and `transactions`. */
export function defineTransactionQueries({ builder, refs, connections, databases, loaders, seenBy }: Setting): void {
  builder.queryFields((t) => ({
    transaction: t.field({
      type: refs.transaction,
      description: 'A transaction that the node knows, in a block or not.',
      args: { id: t.arg({ type: 'Bytes', required: true, description: 'Its id: 32 bytes.' }) },
      resolve: (_root, { id }, context) => findTransaction(loaders(context), thirtyTwoBytes('id', id)),
    }),
    transactions: t.field({
      type: connections.transaction,
      nullable: false,
      description:
        'Transactions in blocks, newest first. With `status` a page may hold less than asked for and still have a ' +
        'next one: go on with its `endCursor`.',
      args: {
        sender: t.arg({ type: 'Bytes', description: 'Only those of this account.' }),
        shard: t.arg.string({ description: 'Only those in blocks of this shard.' }),
        status: t.arg({ type: refs.transactionStatus, description: 'INCLUDED, EXECUTED or FAILED.' }),
        ...builder.forwardPageArgs,
      },
      complexity: pageCost,
      resolve: async (_root, { sender, shard, status, ...args }, context) => {
        if (status != null && !LISTED.includes(status)) {
          throw apiError(
            'STATUS_NOT_LISTED',
            `Transactions that are ${status} are in no block and not listed. Ask for one by its id.`,
          )
        }
        const filter: TransactionFilter = {
          sender: sender == null ? undefined : thirtyTwoBytes('sender', sender),
          shard: shard ?? undefined,
        }
        const seen = seenBy(context)
        if (shard != null) seen.shard(shard)
        const found =
          sender == null && shard == null
            ? await page(args, status, byTime, timedPlaceOf, (limit, after) =>
                newestTransactions(databases(), limit, after),
              )
            : await page(args, status, byPlace, placeOf, (limit, after) =>
                transactionsOf(databases(), filter, limit, after),
              )
        for (const { node } of found.edges) seen.shard(node.row?.shard)
        return found
      },
    }),
  }))
}
