import type { CommandGroup } from '../server/cli/program.ts'
import { addAccount } from './commands/account.ts'
import { addFaucet } from './commands/faucet.ts'
import { addModule } from './commands/module.ts'
import { addQuery } from './commands/query.ts'
import { addRealm } from './commands/realm.ts'
import { addShard } from './commands/shard.ts'
import { addShardHost } from './commands/shard-host.ts'
import { addSnapshot } from './commands/snapshot.ts'
import { addStatus } from './commands/status.ts'
import { addTransfer } from './commands/transfer.ts'
import { addTx } from './commands/tx.ts'
import { addVerify } from './commands/verify.ts'
import { addWallet } from './commands/wallet.ts'

/** The commands that speak to a node, through its GraphQL endpoint alone; `verify` and `snapshot` work on its database instead. */
export const clientCommands: readonly CommandGroup[] = [
  addStatus,
  addQuery,
  addWallet,
  addFaucet,
  addAccount,
  addTransfer,
  addTx,
  addModule,
  addShard,
  addRealm,
  addShardHost,
  addVerify,
  addSnapshot,
]
