import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentities } from '../../server/auth/testing/identities.ts'
import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { median } from '../percentile.ts'

const ROUND = 50_000

/** What it costs to know the bearer of an API key that was seen before, with its rate: a part of each request. */
export const keyCheck: Benchmark = {
  name: 'graphql.keyCheck',
  description: 'CPU time to check a remembered API key and take a token from its bucket',
  async *run({ options: { seconds = 2 }, scope }) {
    const identities = await createIdentities()
    scope.defer(() => identities.stop())
    const { identity, ask } = await identities.node()
    const { token } = await identities.key({ rate: { perSecond: 1_000_000, burst: 1_000_000 } })
    await ask(token)
    const credentials = { authorization: `Bearer ${token}`, address: '198.51.100.1' }
    const rounds: number[] = []
    for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
      const before = process.cpuUsage()
      for (let n = 0; n < ROUND; n++) identity.authenticate(credentials)
      rounds.push(process.cpuUsage(before).user / ROUND)
      // The node looks for revoked keys meanwhile, and the bucket fills.
      await sleep(60)
    }
    yield figure({ name: 'check of an API key', value: median(rounds), unit: 'us', target: { atMost: 2 } })
  },
}
