import { z } from 'zod'
import { CodecError, fromHex, parseShardId } from '../../protocol/index.ts'

/** What a fee is made of must stay far below 2^128. */
const MAX_BASE_PRICE = 10n ** 12n

const amount = z.union([z.bigint().nonnegative(), z.int().nonnegative()]).transform(BigInt)

const address = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i, 'an address is 0x and 64 hex digits')
  .transform(fromHex)

const place = z.string().refine(isPlace, 'a place is the id of a shard, like 0:1, or 7: for a realm')

/** A process elsewhere that runs shards on a database of its own: `deaios shard-host`. */
const shardHost = z.strictObject({
  /** Never changes: shards are on record as living on the host of this name. */
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'a name is 1 to 40 of a-z, 0-9 and -'),
  /** Where it answers, like `ws://10.0.0.7:4100/shard-host`. */
  url: z.url({ protocol: /^wss?$/ }),
  /** A file with the secret that it wants to be shown. */
  secretFile: z.string().min(1),
  /** Its database, which this node reads: `postgres://...`. */
  database: z.string().min(1),
  /** Shards that are born under one of these live there, and what is split off from them. */
  places: z.array(place).min(1).max(256),
})

/** What deaios.config.ts may say about the ledger. What is under `genesis` counts only when a network is founded. */
export const executionConfig = z.strictObject({
  genesis: z
    .strictObject({
      name: z.string().min(1).max(64).default('deaios'),
      /** A development network has a faucet. */
      kind: z.enum(['development', 'production']).default('development'),
      /** Shards of realm 0. */
      shards: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16)]).default(2),
      /** Units for one unit of weight, while there is little to do; a transfer weighs about 20. */
      basePrice: amount
        .refine(
          (price) => price <= MAX_BASE_PRICE,
          'the base price is at most 10^12 units: it may rise to a million times that',
        )
        .default(1n),
      /** Units for one byte of a module's cell. */
      depositPerByte: amount.default(10n),
      /** What the faucet gives at a time, in units (10^9 units are one DEA). */
      faucetDrip: amount.default(100n * 10n ** 9n),
      /** Units that the creator of a realm leaves with the root chain for each of its first shards. */
      realmBond: amount.default(1000n * 10n ** 9n),
      /** Shards that may live at a time, all realms together. */
      maxShards: z.int().min(1).max(1024).default(64),
      /** Accounts that hold coins from the start. */
      accounts: z
        .array(z.strictObject({ address, balance: amount }))
        .max(1_000_000)
        .default([]),
    })
    .prefault({}),
  /** Milliseconds between root blocks while there is work. */
  rootIntervalMs: z.int().min(10).max(10_000).default(100),
  /** Threads that check signatures; as many as there are cores, 4 at most, if absent. */
  verifierThreads: z.int().min(1).max(64).optional(),
  /** Cells that each shard keeps in memory, about 300 bytes each. */
  cacheCells: z.int().min(1000).default(200_000),
  /** Megabytes that each shard may take; what makes it take more is ended. */
  shardMemoryMb: z.int().min(256).default(4096),
  /** The operator's key, by which a node may make blocks; `operator.key` in the plugin's data folder if absent. */
  operatorKeyFile: z.string().min(1).optional(),
  /** Seconds that a request waits at most until this node is as far as its `atLeastHeight` says. */
  heightWaitSeconds: z.number().positive().max(25).default(5),
  /** Processes elsewhere that run shards. */
  shardHosts: z
    .array(shardHost)
    .max(64)
    .refine((hosts) => areUnlike(hosts.map(({ name }) => name)), 'two shard hosts have one name')
    .refine((hosts) => areUnlike(hosts.map(({ url }) => url)), 'two shard hosts have one url')
    .refine((hosts) => areUnlike(hosts.map(({ database }) => database)), 'two shard hosts have one database')
    .default([]),
})

const areUnlike = (values: readonly string[]): boolean => new Set(values).size === values.length

function isPlace(text: string): boolean {
  try {
    return parseShardId(text).id !== 'root'
  } catch (error) {
    if (error instanceof CodecError) return false
    throw error
  }
}

export type ShardHostConfig = z.output<typeof shardHost>

export type ExecutionConfig = z.output<typeof executionConfig>
