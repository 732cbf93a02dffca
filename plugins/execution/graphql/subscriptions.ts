import { apiError } from '../../../schema/index.ts'
import { BlockCommitted, type TransactionState } from '../api.ts'
import { WatchLimitError } from '../gateway/errors.ts'
import type { KnownBlock } from './block-source.ts'
import { thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'
import { tellable } from './told.ts'

/** The subscriptions `blocks` and `transaction`. */
export function defineSubscriptions({ builder, refs, host, ledger, renew }: Setting): void {
  async function* blocks(shard: string | null | undefined, after: string | null | undefined, signal: AbortSignal) {
    const options = after == null ? { signal } : { after, signal }
    for await (const { payload, cursor } of host.events.subscribe(BlockCommitted, options)) {
      if (shard != null && payload.shard !== shard) continue
      yield { shard: payload.shard, height: payload.height, cursor } satisfies KnownBlock
    }
  }

  async function* states(id: Uint8Array, signal: AbortSignal): AsyncGenerator<TransactionState> {
    let known = false
    try {
      for await (const state of ledger().watch(id, signal)) {
        known = true
        yield state
      }
    } catch (error) {
      // The ledger watches only so many at a time.
      if (error instanceof WatchLimitError)
        throw apiError('TOO_MANY_SUBSCRIPTIONS', 'Too many transactions are followed now. Ask for its status instead.')
      throw tellable(error)
    }
    if (!known && !signal.aborted) {
      throw apiError('TRANSACTION_UNKNOWN', 'The node does not know this transaction. Submit it first.')
    }
  }

  builder.subscriptionFields((t) => ({
    blocks: t.field({
      type: refs.block,
      nullable: false,
      description:
        'Blocks as they become durable, of one shard or of all; first those after the cursor, if one is given.',
      args: {
        shard: t.arg.string({ description: 'Only those of this shard; all if absent.' }),
        after: t.arg({ type: 'Cursor', description: 'First all blocks behind it; only new ones if absent.' }),
      },
      subscribe: (_root, { shard, after }, context) => {
        if (
          shard != null &&
          !ledger()
            .shards()
            .some(({ id }) => id === shard)
        ) {
          throw apiError('SHARD_UNKNOWN', `There is no shard "${shard}". The query \`shards\` lists them.`)
        }
        return blocks(shard, after, context.signal)
      },
      resolve: (block, _args, context) => {
        // All results of a subscription share one context: what was read for the last one may have changed.
        renew(context)
        return block
      },
    }),
    transaction: t.field({
      type: refs.transaction,
      nullable: false,
      description: 'A transaction as it stands, at once, then at each change. Completes when its status is final.',
      args: { id: t.arg({ type: 'Bytes', required: true, description: 'Of the transaction: 32 bytes.' }) },
      subscribe: (_root, { id }, context) => states(thirtyTwoBytes('id', id), context.signal),
      resolve: (state, _args, context) => {
        renew(context)
        return state
      },
    }),
  }))
}
