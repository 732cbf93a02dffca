import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { OBJECT } from './queries/library.ts'
import { Repeater } from './queries/served.ts'

/** What most requests are: one thing, by its id. */
export const object: Benchmark = {
  name: 'graphql.object',
  description: 'one object of 5 fields by a known document, API key checked; 64 clients that each wait',
  async *run(bench) {
    const { seconds = 9 } = bench.options
    const repeater = new Repeater(bench, true)
    const body = { query: OBJECT, variables: { id: '7' } }
    const deaios = await repeater.serve('deaios', body)
    const plain = await repeater.servePlain(deaios, await repeater.once(deaios))
    const yoga = await repeater.serve('yoga', body)
    const [ours, raw, reference] = await repeater.measure([deaios, plain, yoga], seconds)
    if (ours === undefined || raw === undefined || reference === undefined) return
    const value = { value: ours.perCore, unit: 'req/s a core' } as const
    yield figure({
      ...value,
      name: 'one object of 5 fields, API key checked',
      reference: { name: 'plain node:http, same bytes', value: raw.perCore },
      target: { ratioAtLeast: 0.5 },
    })
    yield figure({
      ...value,
      name: 'one object of 5 fields, beside yoga',
      reference: { name: 'graphql-yoga by itself, no key', value: reference.perCore },
      target: { ratioAtLeast: 4 },
    })
  },
}
