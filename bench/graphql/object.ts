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
    const repeater = new Repeater(bench)
    const body = { query: OBJECT, variables: { id: '7' } }
    const deaios = await repeater.serve('deaios', body)
    const plain = await repeater.servePlain(deaios, await repeater.once(deaios))
    const yoga = await repeater.serve('yoga', body)
    const [ours, raw, reference] = await repeater.measure([deaios, plain, yoga], seconds)
    if (ours === undefined || raw === undefined || reference === undefined) return
    bench.say(`${Math.round(ours.perCpuSecond ?? 0)} requests for each second of the server's processor time`)
    const value = { value: ours.perSecond, unit: 'req/s' } as const
    yield figure({
      ...value,
      name: 'one object of 5 fields, API key checked',
      reference: { name: 'plain node:http, same bytes', value: raw.perSecond },
      target: { ratioAtLeast: 0.5 },
    })
    yield figure({
      ...value,
      name: 'one object of 5 fields, beside yoga',
      reference: { name: 'graphql-yoga by itself, no key', value: reference.perSecond },
      target: { ratioAtLeast: 4 },
    })
  },
}
