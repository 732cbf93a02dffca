import type { Builder, Context } from '../../../schema/index.ts'
import type { Host } from '../../../server/plugin.ts'
import { AccountType, BlockType, CellStateType, Ledger, ShardType, TransactionType } from '../api.ts'
import { RootFeed } from '../proofs/root-feed.ts'
import { RootProofs } from '../proofs/root-proofs.ts'
import type { RootBlockRow } from '../query/root-blocks.ts'
import { actionStatusEnum } from './action-status.ts'
import { databasesOf } from './databases.ts'
import { executionErrorType } from './execution-error.ts'
import { HeightBook, type Seen } from './heights.ts'
import { ledgerEventType } from './ledger-event.ts'
import { type Loaders, RequestLoaders } from './loaders.ts'
import { transactionRefusedType } from './refused.ts'
import { transactionStatusEnum } from './transaction-status.ts'

/** What the files of this folder define their types with. */
export type Setting = ReturnType<typeof makeSetting>

export function makeSetting(builder: Builder, host: Host) {
  const heights = new HeightBook(() => host.own(Ledger))
  const databases = () => databasesOf(host)
  const requests = new RequestLoaders(databases, () => host.own(Ledger), heights)
  const proofs = new RootProofs(
    () => host.sql,
    () => host.own(Ledger).rootHeight(),
  )
  const refs = {
    shard: builder.refOf(ShardType),
    block: builder.refOf(BlockType),
    rootBlock: builder.objectRef<RootBlockRow>('RootBlock'),
    transaction: builder.refOf(TransactionType),
    account: builder.refOf(AccountType),
    cell: builder.refOf(CellStateType),
    error: executionErrorType(builder),
    event: ledgerEventType(builder, () => host.events),
    actionStatus: actionStatusEnum(builder),
    transactionStatus: transactionStatusEnum(builder),
  }
  return {
    builder,
    host,
    databases,
    /** Only inside resolvers: a schema is built before there is a ledger. */
    ledger: () => host.own(Ledger),
    loaders: (context: Context): Loaders => requests.of(context),
    /** Forgets what the request has read so far. */
    renew: (context: Context): void => requests.renew(context),
    /** Where a request notes the shards that it looks at; to be taken before it reads. */
    seenBy: (context: Context): Seen => heights.seenBy(context),
    heights,
    refs,
    /** Makes proofs that lead to root headers. */
    proofs,
    rootFeed: new RootFeed(() => host.sql, proofs.roots),
    /** The type of a transaction that was not taken. */
    refused: transactionRefusedType(builder),
    connections: {
      shard: builder.connectionOf(refs.shard),
      block: builder.connectionOf(refs.block),
      rootBlock: builder.connectionOf(refs.rootBlock),
      transaction: builder.connectionOf(refs.transaction),
    },
  }
}
