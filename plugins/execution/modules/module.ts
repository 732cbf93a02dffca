import { z } from 'zod'
import { CallError } from '../ledger/errors.ts'
import { ledgerModule } from '../ledger/module.ts'
import { rootCall } from '../ledger/root-context.ts'
import { type ModuleEntry, moduleKey } from '../root/exports.ts'
import { isByValidator, mustBeFree } from './principals.ts'
import { ModuleScheduled } from './root-topics.ts'

/** Adds a module to the network, or switches to another version of it, from a root height on. Validators may. */
const activate = rootCall({
  args: z.strictObject({
    name: z.string().regex(/^[a-z][A-Za-z0-9_]{0,63}$/, 'the name of a module'),
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

/** The modules that the network uses. What there is of them is exported: `module/<name>`. */
export const module = ledgerModule('module', { url: import.meta.url, version: 1, home: 'root', calls: { activate } })
