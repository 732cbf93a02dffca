import type { ActionOutcome, Simulation } from '../api.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'

type Done = Extract<Simulation, { readonly kind: 'done' }>

/** What `simulate` gives, and the query. */
export function defineSimulation(setting: Setting): void {
  const { builder, refs, ledger } = setting
  const action = builder.objectRef<ActionOutcome>('SimulatedAction').implement({
    description: 'What one action would come to, as far as the first block goes.',
    fields: (t) => ({
      status: t.field({
        type: refs.actionStatus,
        nullable: false,
        description: 'How far it would get.',
        resolve: ({ status }) => status,
      }),
      error: t.field({
        type: refs.error,
        description: 'Why it would be refused; null if it would not.',
        resolve: ({ error }) => error,
      }),
      shard: t.field({
        type: refs.shard,
        nullable: false,
        description: 'Where it would run.',
        resolve: ({ shard }) => ({ id: shard }),
      }),
      events: t.field({
        type: [refs.event],
        nullable: false,
        description: 'What it would emit.',
        complexity: { field: 1, multiplier: 4 },
        resolve: ({ events }) => events,
      }),
    }),
  })
  const done = builder.objectRef<Done>('SimulationDone').implement({
    description: 'The transaction would be taken now.',
    fields: (t) => ({
      id: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'That it has, or would have once it is signed.',
        resolve: ({ id }) => id,
      }),
      fee: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'What it would be charged in the next block, in the smallest unit.',
        resolve: ({ fee }) => fee,
      }),
      weight: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'Its weight, with all that its calls may send.',
        resolve: ({ weight }) => weight,
      }),
      actions: t.field({
        type: [action],
        nullable: false,
        description: 'What each of its actions would come to, in order.',
        complexity: { field: 1, multiplier: 4 },
        resolve: ({ actions }) => actions,
      }),
    }),
  })
  const result = builder.unionType('SimulationResult', {
    description: 'What would come of a transaction.',
    types: [done, setting.refused],
    resolveType: (simulation) => (simulation.kind === 'done' ? 'SimulationDone' : 'TransactionRefused'),
  })

  builder.queryField('simulate', (t) =>
    t.field({
      type: result,
      nullable: false,
      description: 'What a transaction would do and cost now. Nothing is kept.',
      args: { transaction: t.arg({ type: 'Bytes', required: true, description: 'Signed or unsigned.' }) },
      complexity: 20,
      resolve: (_root, { transaction }) => told(() => ledger().simulate(transaction)),
    }),
  )
}
