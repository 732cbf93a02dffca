import { z } from 'zod'
import { equal, ROOT_REALM } from '../../../protocol/index.ts'
import { Credited } from '../api.ts'
import { type AccountContext, accountContext } from '../ledger/account-context.ts'
import { CallError } from '../ledger/errors.ts'
import { type CallContext, call, ledgerModule } from '../ledger/module.ts'
import { MAX_SESSION_KEYS } from '../state/session-key.ts'

/** Takes the message's value into the cell's balance: a transfer. */
const credit = call({
  args: z.strictObject({}),
  weight: () => 3n,
  apply(ctx) {
    ctx.emit(Credited, { to: ctx.cell, from: ctx.sender, value: ctx.value })
  },
})

const id = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 32, 'an id of 32 bytes')
const units = z.union([
  z.int().min(0),
  z
    .bigint()
    .min(0n)
    .max(2n ** 128n - 1n),
])

/** Lets another key act for the account, in a lane of its own and within bounds. The same key again replaces them. */
const authorize = call({
  args: z.strictObject({
    key: id,
    calls: z
      .array(z.string().regex(/^[a-z][A-Za-z0-9_]*\.([A-Za-z0-9_]+|\*)$/, 'a call like market.buy, or market.*'))
      .min(1)
      .max(16),
    targets: z
      .array(z.strictObject({ realm: z.int().min(0).max(ROOT_REALM), id }))
      .max(16)
      .default([]),
    lane: z.int().min(1).max(255),
    limit: units,
    expires: z.int().min(0),
  }),
  weight: () => 5n,
  apply(ctx, { key, limit, ...bounds }) {
    const own = ownAccount(ctx)
    if (equal(key, ctx.cell)) throw new CallError('NOT_ALLOWED', 'this is the account’s own key: it may do everything')
    const others = own.sessionKeys.filter((known) => !equal(known.key, key))
    if (others.length >= MAX_SESSION_KEYS)
      throw new CallError('TOO_MANY_KEYS', `an account has at most ${MAX_SESSION_KEYS} session keys: revoke one`)
    if (others.some(({ lane }) => lane === bounds.lane))
      throw new CallError('LANE_TAKEN', `another session key signs in lane ${bounds.lane}: give this one its own`)
    own.setSessionKeys([...others, { key, ...bounds, limit: BigInt(limit), spent: 0n }])
  },
})

/** Takes a session key's right away: transactions of it behind this one, in the same block too, are not included. */
const revoke = call({
  args: z.strictObject({ key: id }),
  weight: () => 3n,
  apply(ctx, { key }) {
    const own = ownAccount(ctx)
    const others = own.sessionKeys.filter((known) => !equal(known.key, key))
    if (others.length === own.sessionKeys.length) throw new CallError('NO_SUCH_KEY', 'the account has no such key')
    own.setSessionKeys(others)
  },
})

/** The account that the message is about, if it comes from that account itself and no module has sent it. */
function ownAccount(ctx: CallContext): AccountContext {
  if (ctx.senderModule === 'account' && equal(ctx.sender, ctx.cell)) return accountContext(ctx)
  throw new CallError('NOT_ALLOWED', 'only the account itself decides about its keys')
}

/** Accounts: cells whose id is an ed25519 public key. Nonces are kept by the engine itself (state/account.ts). */
export const account = ledgerModule('account', {
  url: import.meta.url,
  version: 1,
  home: 'shard',
  calls: { credit, authorize, revoke },
})
