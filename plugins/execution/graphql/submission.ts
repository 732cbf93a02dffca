import { apiError, type Context } from '../../../schema/index.ts'
import type { BlockPlace, Ledger, SubmitOutcome, Wait } from '../api.ts'
import { FaucetGate } from './faucet-gate.ts'
import { thirtyTwoBytes } from './realm.ts'
import type { RefusedShape } from './refused.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'

type Accepted = Extract<SubmitOutcome, { readonly kind: 'accepted' }>

/** How many transactions one call of `submitTransactions` takes. */
export const MAX_SUBMISSIONS = 1000

/** Of the argument `wait`. */
export const WAIT_FOR = 'How far it should get before the answer.'

/** Types that other mutations submit with, too. */
export type SubmissionTypes = ReturnType<typeof defineSubmission>

/** What `submitTransaction` and its like give, and these mutations. */
export function defineSubmission(setting: Setting) {
  const { builder, refs, ledger, renew, host, seenBy } = setting
  const wait = builder.enumType('Wait', {
    description: 'What a submission waits for, for 10 s at most; then it answers as it stands.',
    values: {
      NONE: { description: 'Nothing: it was taken into the mempool.' },
      INCLUDED: { description: 'Its first block is durable.' },
      EXECUTED: { description: 'All its actions came to an end, in all shards.' },
    } as const satisfies Record<Wait, object>,
  })
  const place = builder.objectRef<BlockPlace>('BlockPlace').implement({
    description: 'Where a block is.',
    fields: (t) => ({
      shard: t.exposeString('shard', { nullable: false, description: 'Whose block it is.' }),
      height: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'Its height in that shard.',
        resolve: ({ height }) => height,
      }),
    }),
  })
  const accepted = builder.objectRef<Accepted>('TransactionAccepted').implement({
    description: 'The node has the transaction.',
    fields: (t) => ({
      // The outcome knows id, status and place itself: asking for these costs no look-up.
      transaction: t.field({
        type: refs.transaction,
        nullable: false,
        description: 'As it stands now.',
        resolve: (outcome) => outcome,
      }),
      duplicate: t.exposeBoolean('duplicate', {
        nullable: false,
        description: 'It was known before; nothing was done twice.',
      }),
      at: t.field({
        type: place,
        description: 'Where it was included, if it was.',
        resolve: (outcome) => outcome.at,
      }),
    }),
  })
  const result = builder.unionType('SubmitTransactionResult', {
    description: 'Whether the node took a transaction.',
    types: [accepted, setting.refused],
    resolveType: (outcome) => (outcome.kind === 'accepted' ? 'TransactionAccepted' : 'TransactionRefused'),
  })
  const noted = (outcomes: readonly SubmitOutcome[], context: Context): readonly SubmitOutcome[] => {
    renew(context)
    const seen = seenBy(context)
    for (const outcome of outcomes) if (outcome.kind === 'accepted' && outcome.at !== null) seen.block(outcome.at)
    return outcomes
  }
  const submit = async (wires: readonly Uint8Array[], until: Wait | null | undefined, context: Context) => {
    const { signal } = context
    return noted(await told(() => ledger().submit(wires, { wait: until ?? 'NONE', signal })), context)
  }

  builder.mutationFields((t) => ({
    submitTransaction: t.field({
      type: result,
      nullable: false,
      description: 'Submits a signed transaction. It counts as acknowledged once INCLUDED or later was answered.',
      args: {
        transaction: t.arg({ type: 'Bytes', required: true, description: 'Its wire bytes.' }),
        wait: t.arg({ type: wait, defaultValue: 'INCLUDED', description: WAIT_FOR }),
      },
      resolve: async (_root, { transaction, wait: until }, context) => {
        const [outcome] = await submit([transaction], until, context)
        if (outcome === undefined) throw new TypeError('Ledger.submit gave no outcome')
        return outcome
      },
    }),
    submitTransactions: t.field({
      type: [result],
      nullable: false,
      description: `Submits up to ${MAX_SUBMISSIONS} signed transactions. One outcome each, in the same order.`,
      args: {
        transactions: t.arg({ type: ['Bytes'], required: true, description: 'Their wire bytes.' }),
        wait: t.arg({ type: wait, defaultValue: 'NONE', description: WAIT_FOR }),
      },
      complexity: ({ transactions }) => ({ field: 1, multiplier: transactions.length }),
      resolve: async (_root, { transactions, wait: until }, context) => {
        if (transactions.length > MAX_SUBMISSIONS) {
          throw apiError(
            'TOO_MANY_TRANSACTIONS',
            `A call takes at most ${MAX_SUBMISSIONS} transactions, not ${transactions.length}. Split them up.`,
            { max: MAX_SUBMISSIONS },
          )
        }
        return submit(transactions, until, context)
      },
    }),
    faucet: t.field({
      type: result,
      nullable: false,
      description: 'Pays an address from the faucet. Development networks only.',
      args: { address: t.arg({ type: 'Bytes', required: true, description: 'Who is paid: 32 bytes.' }) },
      resolve: async (_root, { address }, context): Promise<Accepted | RefusedShape> => {
        const to = thirtyTwoBytes('address', address)
        const refusal = faucetRefusal(ledger(), gate, to)
        if (refusal !== undefined) return { kind: 'refused', ...refusal }
        const outcome = await told(() => ledger().faucet(to))
        noted([outcome], context)
        return outcome
      },
    }),
  }))
  const gate = new FaucetGate(() => host.clock.now())
  return { wait, result }
}

function faucetRefusal(ledger: Ledger, gate: FaucetGate, address: Uint8Array) {
  if (ledger.network.genesis.kind !== 'development') {
    return { code: 'NO_FAUCET', message: 'Only development networks have a faucet.' } as const
  }
  return gate.pass(address)
}
