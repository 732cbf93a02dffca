import type { Benchmark } from '../../benchmark.ts'
import { figure } from '../../figure.ts'
import { openAudience } from './audience.ts'

const PER_BATCH = 100
const WRITERS = 8
const KEPT = 1_000_000
const CUTS = 9
/** Events for each second that is asked for, if fewer are to be read than the million. */
const PER_SECOND = 50_000

/** How fast events become durable. */
export const publish: Benchmark = {
  name: 'graphql.publish',
  description: `events published durably: ${WRITERS} writers, ${PER_BATCH} events in a transaction`,
  async *run(bench) {
    const { seconds = 10 } = bench.options
    const { node } = await openAudience(bench)
    await node.ask({ kind: 'publish', perBatch: PER_BATCH, writers: WRITERS, seconds: Math.min(2, seconds) })
    const { events, ms } = await node.ask({ kind: 'publish', perBatch: PER_BATCH, writers: WRITERS, seconds })
    yield figure({
      name: `events published, ${PER_BATCH} a transaction`,
      value: (1000 * events) / ms,
      unit: 'events/s',
      target: { atLeast: 20_000 },
    })
  },
}

/** A subscriber that comes back after very long. */
export const resume: Benchmark = {
  name: 'graphql.resume',
  description: `one subscriber reads ${KEPT} kept events from a cursor over connections cut ${CUTS} times; each must come once`,
  async *run(bench) {
    const { seconds } = bench.options
    const events = seconds === undefined ? KEPT : Math.min(KEPT, Math.round(seconds * PER_SECOND))
    const { node, place, subscribers } = await openAudience(bench)
    const filled = await node.ask({ kind: 'fill', events })
    bench.say(`${events} events written in ${(filled.ms / 1000).toFixed(1)} s`)
    const { ms, resumed } = await subscribers.ask({ kind: 'resume', port: place.port, events, cuts: CUTS })
    bench.say(`all ${events} came once and in order, over ${resumed + 1} connections`)
    yield figure({
      name: `${events} events resumed from a cursor`,
      value: (1000 * events) / ms,
      unit: 'events/s',
      target: {},
    })
  },
}
