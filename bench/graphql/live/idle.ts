import type { Benchmark } from '../../benchmark.ts'
import { figure } from '../../figure.ts'
import { openAudience } from './audience.ts'

const IDLE = 5_000
const FIRST = 500

/** What a subscriber costs who only waits. */
export const idle: Benchmark = {
  name: 'graphql.idle',
  description: `memory (resident set of the server) for each of ${IDLE} idle WebSocket subscribers`,
  async *run(bench) {
    const { node, place, subscribers } = await openAudience(bench)
    // What the first ones need once is not what one more needs.
    await subscribers.ask({ kind: 'subscribe', ...place, count: FIRST, different: false })
    const before = await node.ask({ kind: 'memory' })
    await subscribers.ask({ kind: 'subscribe', ...place, count: IDLE, different: false })
    const after = await node.ask({ kind: 'memory' })
    bench.say(
      `${Math.round(before.bytes / 2 ** 20)} MiB with ${FIRST}, ${Math.round(after.bytes / 2 ** 20)} MiB with all`,
    )
    yield figure({
      name: 'memory of an idle WebSocket subscriber',
      value: (after.bytes - before.bytes) / IDLE / 1024,
      unit: 'KiB',
      target: { atMost: 30 },
    })
  },
}
