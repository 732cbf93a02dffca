import type { Builder } from '../../../schema/index.ts'
import type { Host } from '../../../server/plugin.ts'
import { defineAccount } from './account.ts'
import { defineAssets } from './asset.ts'
import { defineBlock } from './block.ts'
import { defineBlockQueries } from './blocks.ts'
import { defineCell } from './cell.ts'
import { extendLimits } from './limits.ts'
import { extendModules } from './module-set.ts'
import { extendNetwork } from './network.ts'
import { defineRealms } from './realms.ts'
import { defineRootBlock } from './root-block.ts'
import { defineSend } from './send.ts'
import { makeSetting } from './setting.ts'
import { defineShard } from './shard.ts'
import { defineSimulation } from './simulation.ts'
import { defineSubmission } from './submission.ts'
import { defineSubscriptions } from './subscriptions.ts'
import { defineTransaction } from './transaction.ts'
import { defineTransactionQueries } from './transactions.ts'

/** Everything that layer 1 adds to the schema. The host must own the Ledger service by the time something is asked. */
export function executionGraphql(builder: Builder, host: Host): void {
  // A shard's name and a transaction's hash are what clients know them by, and no other id looks like them.
  builder.nodeIds.plain('Shard', /^(root|\d{1,10}:[01]{0,64})$/)
  builder.nodeIds.plain('Transaction', /^0x[0-9a-f]{64}$/)
  const setting = makeSetting(builder, host)
  extendNetwork(setting)
  extendModules(setting)
  extendLimits(setting)
  defineShard(setting)
  defineRealms(setting)
  defineBlock(setting)
  defineBlockQueries(setting)
  defineRootBlock(setting)
  defineTransaction(setting)
  defineTransactionQueries(setting)
  defineAccount(setting)
  defineCell(setting)
  defineAssets(setting)
  defineSend(setting, defineSubmission(setting))
  defineSimulation(setting)
  defineSubscriptions(setting)
}
