import { z } from 'zod'
import { fromHex } from '../../protocol/index.ts'

const amount = z.union([z.bigint().nonnegative(), z.int().nonnegative()]).transform(BigInt)

const address = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i, 'an address is 0x and 64 hex digits')
  .transform(fromHex)

/** What deaios.config.ts may say about the ledger. What is under `genesis` counts only when a network is founded. */
export const executionConfig = z.strictObject({
  genesis: z
    .strictObject({
      name: z.string().min(1).max(64).default('deaios'),
      /** A development network has a faucet. */
      kind: z.enum(['development', 'production']).default('development'),
      /** Shards of realm 0. */
      shards: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16)]).default(2),
      /** Units for one unit of weight; a transfer weighs about 20. */
      basePrice: amount.default(1n),
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
  /** The operator's key, by which a node may make blocks; `operator.key` in the plugin's data folder if absent. */
  operatorKeyFile: z.string().min(1).optional(),
  /** Seconds that a request waits at most until this node is as far as its `atLeastHeight` says. */
  heightWaitSeconds: z.number().positive().max(25).default(5),
})

export type ExecutionConfig = z.output<typeof executionConfig>
