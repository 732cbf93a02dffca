import { z } from 'zod'
import { topic } from '../../../server/plugin.ts'

/** Somebody made a realm; its shards begin at once. */
export const RealmCreated = topic(
  'execution.realmCreated',
  z.object({
    realm: z.int(),
    name: z.string(),
    creator: z.instanceof(Uint8Array),
    shards: z.array(z.string()),
    /** Root height that the first blocks of its shards have taken in. */
    from: z.int(),
  }),
)

/** A shard is going to split: its children take over at a root height. */
export const SplitScheduled = topic(
  'execution.splitScheduled',
  z.object({ shard: z.string(), children: z.array(z.string()), at: z.int() }),
)

/** A version of a ledger module is going to be used, from a root height on. */
export const ModuleScheduled = topic(
  'execution.moduleScheduled',
  z.object({ name: z.string(), version: z.int(), at: z.int() }),
)

/** Versions of a ledger module that were going to be used will not be. */
export const ModuleWithdrawn = topic(
  'execution.moduleWithdrawn',
  z.object({ name: z.string(), versions: z.array(z.int()) }),
)
