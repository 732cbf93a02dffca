import { z } from 'zod'
import { CallError } from '../ledger/errors.ts'
import { call, cellType, ledgerModule } from '../ledger/module.ts'

/** What a faucet gives at a time, in the smallest unit, and to whom it listens. */
export const FaucetCell = cellType(
  'faucet.cell',
  z.strictObject({ drip: z.union([z.bigint(), z.int()]), signer: z.instanceof(Uint8Array) }),
)

/** Pays the faucet's fixed amount to an address. Only the network's operator may call it, so that it can be paced. */
const drip = call({
  args: z.strictObject({ to: z.instanceof(Uint8Array).refine((id) => id.length === 32, 'an id of 32 bytes') }),
  weight: () => 3n,
  sends: { 'account.credit': 1 },
  apply(ctx, { to }) {
    const faucet = ctx.read(FaucetCell)
    if (faucet === undefined) throw new CallError('NO_FAUCET', 'there is no faucet in this cell')
    if (Buffer.compare(faucet.signer, ctx.sender) !== 0) {
      throw new CallError('NOT_ALLOWED', 'only the faucet of the node may call this: use the mutation "faucet"')
    }
    const value = BigInt(faucet.drip)
    if (ctx.balance < value) throw new CallError('FAUCET_EMPTY', 'the faucet has run dry')
    ctx.send({ to, call: 'account.credit', value })
  },
})

/** A well of coins for development networks: genesis fills its cell, nothing mints. */
export const faucet = ledgerModule('faucet', { url: import.meta.url, version: 1, home: 'shard', calls: { drip } })
