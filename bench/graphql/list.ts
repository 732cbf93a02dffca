import { z } from 'zod'
import { BenchError, type Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { LIST } from './queries/library.ts'
import { asked, Repeater } from './queries/served.ts'

const SIZE = 50
const Usage = z.object({ extensions: z.object({ usage: z.object({ statements: z.int() }) }) })

/** A page with a relation, from the database. */
export const list: Benchmark = {
  name: 'graphql.list',
  description: 'a list of 50 objects with one relation each, from Postgres, API key checked; 64 clients that each wait',
  async *run(bench) {
    const { seconds = 6 } = bench.options
    const repeater = new Repeater(bench, false)
    const body = { query: LIST, variables: { first: SIZE } }
    const served = await repeater.serve('deaios', body)
    const usage = await repeater.once(asked(served, { ...body, extensions: { usage: true } }))
    const told = Usage.safeParse(JSON.parse(Buffer.from(usage).toString()))
    if (!told.success) throw new BenchError('LOAD_FAILED', 'the node did not tell what the request used')
    yield figure({
      name: `SQL statements of ${SIZE} objects with one relation`,
      value: told.data.extensions.usage.statements,
      unit: 'statements',
      target: { atMost: 3 },
    })
    const [rate] = await repeater.measure([served], seconds)
    if (rate === undefined) return
    yield figure({
      name: `${SIZE} objects with one relation, from Postgres`,
      value: rate.perSecond,
      unit: 'req/s',
      target: { atLeast: 2000 },
    })
  },
}
