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
      status: t.field({ type: refs.actionStatus, nullable: false, resolve: ({ status }) => status }),
      error: t.field({ type: refs.error, resolve: ({ error }) => error }),
      shard: t.field({ type: refs.shard, nullable: false, resolve: ({ shard }) => ({ id: shard }) }),
      events: t.field({
        type: [refs.event],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        resolve: ({ events }) => events,
      }),
    }),
  })
  const done = builder.objectRef<Done>('SimulationDone').implement({
    description: 'The transaction would be taken now.',
    fields: (t) => ({
      id: t.field({ type: 'Bytes', nullable: false, resolve: ({ id }) => id }),
      fee: t.field({ type: 'BigInt', nullable: false, resolve: ({ fee }) => fee }),
      weight: t.field({ type: 'BigInt', nullable: false, resolve: ({ weight }) => weight }),
      actions: t.field({
        type: [action],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        resolve: ({ actions }) => actions,
      }),
    }),
  })
  const result = builder.unionType('SimulationResult', {
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
