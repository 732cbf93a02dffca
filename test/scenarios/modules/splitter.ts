import { z } from 'zod'
import { call, ledgerModule } from '../../../plugins/execution/api.ts'

/** Sends everything that its cell has to somebody: an author's mistake, as nothing says whose coins those are. */
const share = call({
  args: z.strictObject({ to: z.instanceof(Uint8Array) }),
  weight: () => 3n,
  sends: { 'account.credit': 1 },
  apply: (ctx, { to }) => ctx.send({ to, call: 'account.credit', value: ctx.balance }),
})

/** A ledger module without care. */
export const splitter = ledgerModule('splitter', { url: import.meta.url, version: 1, home: 'shard', calls: { share } })
