import { encodeGenesis } from '../../../protocol/index.ts'
import { NetworkType } from '../../../schema/index.ts'
import { ROOT } from './heights.ts'
import type { Setting } from './setting.ts'

/** What the ledger knows of the network. Nullable, as all that one plugin adds to another's type. */
export function extendNetwork({ builder, ledger, seenBy }: Setting): void {
  const kind = builder.enumType('NetworkKind', {
    description: 'What a network is for.',
    values: {
      DEVELOPMENT: { value: 'development', description: 'Its coins are worth nothing; it has a faucet.' },
      PRODUCTION: { value: 'production', description: 'Its coins are meant to be worth something; it has no faucet.' },
    } as const,
  })
  const randomness = builder.enumType('RandomnessSource', {
    description: 'Who makes the randomness that calls can use.',
    values: {
      SINGLE_OPERATOR: { description: 'One operator makes it, and can predict it.' },
      SHARED: { description: 'Several validators make it, and no one of them can predict it.' },
    } as const,
  })
  const supplyCheck = builder
    .objectRef<{ readonly rootHeight: number; readonly total: bigint; readonly inFlight: bigint }>('SupplyCheck')
    .implement({
      description: 'What all balances, deposits and messages on their way add up to.',
      fields: (t) => ({
        rootHeight: t.field({
          type: 'BigInt',
          nullable: false,
          description: 'The root height that it was counted at.',
          resolve: (check) => check.rootHeight,
        }),
        total: t.field({
          type: 'BigInt',
          nullable: false,
          description: 'It must equal the supply.',
          resolve: ({ total }) => total,
        }),
        inFlight: t.field({
          type: 'BigInt',
          nullable: false,
          description: 'The part that is on its way between shards.',
          resolve: ({ inFlight }) => inFlight,
        }),
      }),
    })

  builder.objectFields(builder.refOf(NetworkType), (t) => ({
    id: t.field({
      type: 'Bytes',
      description: 'Hash of the genesis document. Every transaction names it.',
      resolve: () => ledger().network.id,
    }),
    kind: t.field({
      type: kind,
      description: 'What it is for, as its genesis says.',
      resolve: () => ledger().network.genesis.kind,
    }),
    genesis: t.field({
      type: 'Bytes',
      complexity: 10,
      description: 'The genesis document, CBOR.',
      resolve: () => encodeGenesis(ledger().network.genesis),
    }),
    rootHeight: t.field({
      type: 'BigInt',
      description: 'Height of the last durable block of the root chain.',
      resolve: (_network, _args, context) => {
        seenBy(context).shard(ROOT)
        return ledger().rootHeight()
      },
    }),
    shardCount: t.int({
      description: 'Shards that take transactions.',
      resolve: () =>
        ledger()
          .shards()
          .filter(({ id }) => id !== ROOT).length,
    }),
    supply: t.field({
      type: 'BigInt',
      description: 'All coins there are, in the smallest unit. It never changes.',
      resolve: () => ledger().network.supply,
    }),
    supplyCheck: t.field({
      type: supplyCheck,
      description: 'As last counted, at a root block.',
      resolve: () => ledger().supplyCheck(),
    }),
    randomness: t.field({
      type: randomness,
      description: 'Who makes the randomness that calls can use.',
      resolve: () => ledger().randomness(),
    }),
  }))
}
