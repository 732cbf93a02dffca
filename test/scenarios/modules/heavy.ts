import { z } from 'zod'
import { call, ledgerModule } from '../../../plugins/execution/api.ts'

/** Weighs what its argument says. */
const lift = call({
  args: z.strictObject({ weight: z.int().min(1) }),
  weight: ({ weight }) => BigInt(weight),
  apply: () => undefined,
})

/** A ledger module whose calls are as heavy as one likes. */
export const heavy = ledgerModule('heavy', { url: import.meta.url, version: 1, home: 'shard', calls: { lift } })
