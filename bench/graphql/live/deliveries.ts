import type { Bench, Benchmark } from '../../benchmark.ts'
import { type Figure, figure } from '../../figure.ts'
import { percentile } from '../../percentile.ts'
import { type Audience, deliveryRate, openAudience, type Rate, SUBSCRIBERS } from './audience.ts'

/** Events that are published together in `graphql.coalesced`. */
const TOGETHER = 10

const rounded = (rate: number): string => `${Math.round(rate / 100) / 10}k`

function say(bench: Bench, what: string, { perCore, here }: Rate): void {
  bench.say(`${what}: ${rounded(perCore)} a CPU second of the server, ${rounded(here)} a second on this machine`)
}

/** One document, one event at a time. */
export const deliveries: Benchmark = {
  name: 'graphql.deliveries',
  description: `events to ${SUBSCRIBERS} WebSocket subscribers of one document, one by one from Postgres; server CPU`,
  async *run(bench) {
    const { seconds = 10 } = bench.options
    const reference = await referenceRate(bench, seconds)
    const audience = await openFull(bench, false)
    const rate = await deliveryRate(audience, 1, seconds)
    say(bench, 'deliveries', rate)
    yield figure({
      name: 'deliveries, event by event',
      value: rate.perCore,
      unit: 'deliveries/s a core',
      reference: { name: 'graphql-ws, one execution each', value: reference },
      target: { atLeast: 60_000, ratioAtLeast: 4 },
    })
    yield* delay(bench, audience, rate, seconds)
  },
}

/** The time from publishing an event to its arrival, at half of what this machine can do. */
async function* delay(bench: Bench, audience: Audience, { here }: Rate, seconds: number): AsyncGenerator<Figure> {
  const perSecond = here / SUBSCRIBERS / 2
  const { delays } = await audience.subscribers.ask({ kind: 'pace', perBatch: 1, perSecond, seconds })
  const [half, most] = [50, 99].map((percent) => percentile(delays, percent))
  bench.say(`delay at ${rounded(perSecond * SUBSCRIBERS)} deliveries/s: median ${half?.toFixed(1)} ms`)
  yield figure({
    name: 'delay from publish to arrival, p99, at half that rate',
    value: most ?? Number.NaN,
    unit: 'ms',
    target: { atMost: 100 },
  })
}

/** One document, events that become durable together. */
export const coalesced: Benchmark = {
  name: 'graphql.coalesced',
  description: `the same with ${TOGETHER} events in a transaction: they leave in one write for each subscriber`,
  async *run(bench) {
    const { seconds = 10 } = bench.options
    const rate = await deliveryRate(await openFull(bench, false), TOGETHER, seconds)
    say(bench, 'deliveries', rate)
    yield figure({
      name: `deliveries, ${TOGETHER} events at a time`,
      value: rate.perCore,
      unit: 'deliveries/s a core',
      target: { atLeast: 300_000 },
    })
  },
}

/** As many documents as subscribers: nothing to share but the reading of the stream. */
export const different: Benchmark = {
  name: 'graphql.different',
  description: `events to ${SUBSCRIBERS} subscribers of as many different documents, one by one`,
  async *run(bench) {
    const { seconds = 10 } = bench.options
    const rate = await deliveryRate(await openFull(bench, true), 1, seconds)
    say(bench, 'deliveries', rate)
    yield figure({
      name: `deliveries to ${SUBSCRIBERS} different documents`,
      value: rate.perCore,
      unit: 'deliveries/s a core',
      target: {},
    })
  },
}

async function openFull(bench: Bench, isDifferent: boolean): Promise<Audience> {
  const audience = await openAudience(bench)
  const { place, subscribers } = audience
  await subscribers.ask({ kind: 'subscribe', ...place, count: SUBSCRIBERS, different: isDifferent })
  return audience
}

async function referenceRate(bench: Bench, seconds: number): Promise<number> {
  const audience = await openAudience(bench, 'graphql-ws')
  const { place, subscribers } = audience
  await subscribers.ask({ kind: 'subscribe', ...place, count: SUBSCRIBERS, different: false })
  const rate = await deliveryRate(audience, 1, seconds)
  say(bench, 'graphql-ws', rate)
  return rate.perCore
}
