import { NetworkType } from '../../../schema/index.ts'
import { LedgerModules } from '../api.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { type ModuleState, moduleStates } from '../ledger/module-states.ts'
import { moduleView } from '../query/exports.ts'
import { ROOT } from './heights.ts'
import type { Setting } from './setting.ts'

/** Which ledger modules the network uses, and whether this node has them. */
export function extendModules({ builder, host, ledger, seenBy }: Setting): void {
  let library: ModuleLibrary | undefined
  const own = (): ModuleLibrary => {
    library ??= new ModuleLibrary(host.contributions(LedgerModules))
    return library
  }
  const status = builder.enumType('LedgerModuleStatus', {
    description: 'Whether the network uses a version of a module.',
    values: {
      ACTIVE: { description: 'The network uses it now.' },
      SCHEDULED: { description: 'The network uses it from a later root height on.' },
      ENDED: { description: 'The network used it; another version took its place.' },
      UNUSED: { description: 'This node has it, and the network does not use it.' },
    } as const,
  })
  const version = builder.objectRef<ModuleState>('LedgerModuleVersion').implement({
    description: 'A version of a ledger module.',
    fields: (t) => ({
      name: t.exposeString('name', { nullable: false, description: 'Of the module, as calls begin with it.' }),
      version: t.exposeInt('version', { nullable: false, description: 'Its number.' }),
      status: t.field({
        type: status,
        nullable: false,
        description: 'Whether the network uses it.',
        resolve: (module) => module.status,
      }),
      activeFrom: t.field({
        type: 'BigInt',
        description: 'Root height from which on the network uses it; null if it does not.',
        resolve: ({ activeFrom }) => activeFrom,
      }),
      problem: t.exposeString('problem', {
        description: 'Why this node cannot execute blocks that use it, and how to mend that; null if it can.',
      }),
    }),
  })
  builder.objectFields(builder.refOf(NetworkType), (t) => ({
    modules: t.field({
      type: [version],
      description: 'All versions of ledger modules that the network knows or this node has.',
      complexity: { field: 5, multiplier: 32 },
      resolve: async (_network, _args, context) => {
        seenBy(context).shard(ROOT)
        const height = ledger().rootHeight()
        return moduleStates(own(), await moduleView(host.sql), height)
      },
    }),
  }))
}
