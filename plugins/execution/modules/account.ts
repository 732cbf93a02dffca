import { z } from 'zod'
import { Credited } from '../api.ts'
import { call, ledgerModule } from '../ledger/module.ts'

/** Takes the message's value into the cell's balance: a transfer. */
const credit = call({
  args: z.strictObject({}),
  weight: () => 3n,
  apply(ctx) {
    ctx.emit(Credited, { to: ctx.cell, from: ctx.sender, value: ctx.value })
  },
})

/** Accounts: cells whose id is an ed25519 public key. Nonces are kept by the engine itself (state/account.ts). */
export const account = ledgerModule('account', {
  url: import.meta.url,
  version: 1,
  home: 'shard',
  calls: { credit },
})
