import { z } from 'zod'
import { call, ledgerModule } from '../../../plugins/execution/api.ts'

/** Ends the thread that it runs in as soon as its call is over: at once, or by an error that nobody catches. */
const explode = call({
  args: z.strictObject({ how: z.enum(['exit', 'throw']) }),
  weight: () => 1n,
  apply(_ctx, { how }) {
    const goOff = (): void => {
      if (how === 'exit') process.exit(1)
      queueMicrotask(() => {
        throw new RangeError('a bomb went off')
      })
    }
    void Promise.resolve().then(goOff)
  },
})

/** A ledger module that breaks the rules: what it is for is to see what happens then. */
export const bomb = ledgerModule('bomb', { url: import.meta.url, version: 1, home: 'shard', calls: { explode } })
