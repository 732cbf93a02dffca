import { z } from 'zod'
import { formatShardId, parseShardId } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { ledgerModule } from '../ledger/module.ts'
import { type RootContext, rootCall } from '../ledger/root-context.ts'
import { MAX_SHARD_PREFIX, SPLIT_DELAY } from '../ledger/rules.ts'
import { type ShardEntry, shardKey } from '../root/exports.ts'
import { mustHaveRoom } from './live-shards.ts'
import { isByCreator, isByValidator, mustBeFree } from './principals.ts'
import { SplitScheduled } from './root-topics.ts'

/**
 * Splits a shard in two: its last block is the one that takes in root block `height + SPLIT_DELAY`, and its children
 * begin there. Validators may split any shard; the creator of a realm those of the realm, for a bond as `realm.create`
 * takes it: each shard is work for all nodes. What the message brings is the bond, all of it.
 */
const split = rootCall({
  args: z.strictObject({ shard: z.string().max(100) }),
  weight: () => 100n,
  apply(ctx, { shard: id }) {
    const isValidator = isByValidator(ctx)
    if (isValidator) mustBeFree(ctx)
    const entry = ctx.exported.shards.get(id)
    if (entry === undefined) throw new CallError('UNKNOWN_SHARD', `there is no shard "${id}"`)
    if (entry.until !== null && entry.until <= ctx.height)
      throw new CallError('UNKNOWN_SHARD', `shard ${id} was split at root height ${entry.until}: split its children`)
    const { realm, prefix } = parseShardId(id)
    if (!isValidator && !isByCreator(ctx, realm))
      throw new CallError('NOT_ALLOWED', `only validators, and whoever made realm ${realm}, split its shards`)
    if (entry.until !== null)
      throw new CallError(
        'SPLIT_PENDING',
        `shard ${id} is being split: its children begin at root height ${entry.until}`,
      )
    if (entry.from >= ctx.height)
      throw new CallError('SPLIT_PENDING', `shard ${id} begins at root height ${entry.from}: split it after that`)
    if (prefix.length >= MAX_SHARD_PREFIX)
      throw new CallError('TOO_DEEP', `the prefix of a shard has at most ${MAX_SHARD_PREFIX} bits`)
    mustHaveRoom(ctx, 1)
    if (!isValidator) keepBond(ctx, id)
    const at = ctx.height + SPLIT_DELAY
    const children = ['0', '1'].map((bit) => formatShardId(realm, prefix + bit))
    ctx.export(shardKey(id), { ...entry, until: at } satisfies ShardEntry)
    for (const child of children)
      ctx.export(shardKey(child), { from: at, parent: id, until: null } satisfies ShardEntry)
    ctx.emit(SplitScheduled, { shard: id, children, at })
  },
})

/** The bond is in a cell of the shard that is split. @throws CallError BOND_REQUIRED */
function keepBond(ctx: RootContext, shard: string): void {
  const bond = ctx.rules.realmBond
  if (ctx.value < bond) throw new CallError('BOND_REQUIRED', `one more shard takes a bond of ${bond}, not ${ctx.value}`)
  ctx.at({ creator: ctx.sender, salt: new TextEncoder().encode(shard) }).give(ctx.value)
}

/** The shards of the network. What there is of them is exported: `shard/<id>` (root/exports.ts). */
export const shard = ledgerModule('shard', { url: import.meta.url, version: 1, home: 'root', calls: { split } })
