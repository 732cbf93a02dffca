import { z } from 'zod'
import { CallError } from '../ledger/errors.ts'
import { ledgerModule, MODULE_NAME } from '../ledger/module.ts'
import { rootCall } from '../ledger/root-context.ts'
import { type ModuleEntry, moduleKey } from '../root/exports.ts'
import { isByValidator, mustBeFree } from './principals.ts'
import { ModuleScheduled, ModuleWithdrawn } from './root-topics.ts'

const name = z.string().regex(MODULE_NAME, 'the name of a module')

/** Adds a module to the network, or switches to another version of it, from a root height on. Validators may. */
const activate = rootCall({
  args: z.strictObject({
    name,
    version: z.int().min(1).max(0xffffffff),
    at: z.int().min(1),
  }),
  weight: () => 100n,
  apply(ctx, { name, version, at }) {
    mustBeFree(ctx)
    if (!isByValidator(ctx)) throw new CallError('NOT_ALLOWED', 'only validators change the set of modules')
    if (at <= ctx.height) throw new CallError('HEIGHT_PASSED', `root height ${at} is not after ${ctx.height}`)
    const known: ModuleEntry = ctx.exported.modules.get(name) ?? []
    const last = known.at(-1)
    if (last !== undefined && at <= last[1])
      throw new CallError('HEIGHT_TAKEN', `version ${last[0]} of "${name}" is used from root height ${last[1]} on`)
    ctx.export(
      moduleKey(name),
      [...known, [version, at]].map((entry) => [...entry]),
    )
    ctx.emit(ModuleScheduled, { name, version, at })
  },
})

/** Takes back what is scheduled for a module and has not begun. Validators may. */
const withdraw = rootCall({
  args: z.strictObject({ name }),
  weight: () => 100n,
  apply(ctx, { name }) {
    mustBeFree(ctx)
    if (!isByValidator(ctx)) throw new CallError('NOT_ALLOWED', 'only validators change the set of modules')
    const known: ModuleEntry = ctx.exported.modules.get(name) ?? []
    const begun = known.filter(([, activeFrom]) => activeFrom <= ctx.height)
    const versions = known.slice(begun.length).map(([version]) => version)
    if (versions.length === 0) throw new CallError('NOTHING_SCHEDULED', `no version of "${name}" is about to begin`)
    ctx.export(moduleKey(name), begun.length === 0 ? null : begun.map((entry) => [...entry]))
    ctx.emit(ModuleWithdrawn, { name, versions })
  },
})

/** The modules that the network uses. What there is of them is exported: `module/<name>`. */
export const module = ledgerModule('module', {
  url: import.meta.url,
  version: 1,
  home: 'root',
  calls: { activate, withdraw },
})
