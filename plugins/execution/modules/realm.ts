import { z } from 'zod'
import { formatShardId, ROOT_REALM } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { cellType, ledgerModule } from '../ledger/module.ts'
import { type RootContext, rootCall } from '../ledger/root-context.ts'
import { MAX_SHARD_PREFIX } from '../ledger/rules.ts'
import { type RealmEntry, realmKey, type ShardEntry, shardKey } from '../root/exports.ts'
import { mustHaveRoom } from './live-shards.ts'
import { mustBeAccount } from './principals.ts'
import { RealmCreated } from './root-topics.ts'

/** What the root chain keeps of a realm; the cell's balance is the bond. */
export const RealmCell = cellType(
  'realm.cell',
  z.strictObject({ realm: z.int(), name: z.string(), creator: z.instanceof(Uint8Array) }),
)

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name of a-z, 0-9 and -, at most 32')

/** The salt of a realm's cell: `cellId('realm', creator, realmSalt(name))`. */
export const realmSalt = (realm: string): Uint8Array => new TextEncoder().encode(realm)

/**
 * Makes a realm with its first shards: the next number that is free. Its cell keeps the bond, `realmBond` for each of
 * them, and its own deposit; what the message brings beyond that goes back to who signed.
 */
const create = rootCall({
  args: z.strictObject({
    name,
    shards: z
      .int()
      .min(1)
      .max(2 ** MAX_SHARD_PREFIX)
      .refine((count) => Number.isInteger(Math.log2(count)), '1, 2, 4, 8 ... shards')
      .default(1),
  }),
  weight: () => 100n,
  sends: { 'account.credit': 1 },
  creates: (args, sender) => ({ creator: sender, salt: realmSalt(args.name) }),
  apply(ctx, { name, shards: count }) {
    mustBeAccount(ctx)
    if (ctx.read(RealmCell) !== undefined) throw new CallError('REALM_EXISTS', `this account has a realm "${name}"`)
    mustHaveRoom(ctx, count)
    const realm = nextRealm(ctx)
    const creator = ctx.sender
    ctx.write(RealmCell, { realm, name, creator })
    const left = ctx.balance - ctx.rules.realmBond * BigInt(count)
    if (left < 0n) throw new CallError('BOND_REQUIRED', `the bond is ${-left} more than the call brought`)
    const from = ctx.height
    const bits = Math.log2(count)
    const shards = Array.from({ length: count }, (_, i) =>
      formatShardId(realm, bits === 0 ? '' : i.toString(2).padStart(bits, '0')),
    )
    ctx.export(realmKey(realm), { creator, name } satisfies RealmEntry)
    for (const id of shards) ctx.export(shardKey(id), { from, parent: null, until: null } satisfies ShardEntry)
    ctx.emit(RealmCreated, { realm, name, creator, shards, from })
    const back = left < ctx.value ? left : ctx.value
    if (back > 0n) ctx.send({ to: ctx.payer, realm: ctx.payerRealm, call: 'account.credit', value: back })
  },
})

/** Realms: address spaces with shards of their own. What there is of them is exported: `realm/<n>`. */
export const realm = ledgerModule('realm', { url: import.meta.url, version: 1, home: 'root', calls: { create } })

/** Numbers are given out in order, and none twice. */
function nextRealm(ctx: RootContext): number {
  const next = Math.max(...ctx.exported.realms.keys()) + 1
  if (next >= ROOT_REALM) throw new CallError('NO_REALM_LEFT', 'all numbers of realms are given out')
  return next
}
