import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createClient } from '../../../client/index.ts'
import { until } from '../../../server/testing/program.ts'
import { OTHERS } from '../node/payers.ts'
import { withNode } from '../node/with-node.ts'
import type { Scenario } from '../scenario.ts'
import { IdleSocket } from './idle-socket.ts'

/** As many as a node takes by default. */
const MOST = 10_000
const AT_A_TIME = 50
/** How long they have nothing to do: longer than a node waits for the answer to a ping. */
const IDLE_MS = { full: 40_000, reduced: 1_000 }
const ARRIVE_MS = 120_000
/** Per subscriber, with everything that the node allocates beside. */
const MAX_KIB = 40

/** WebSockets that are open, subscribed and idle. */
export const idle: Scenario = {
  name: 'live/idle',
  claim: 'a node holds as many idle WebSockets as its limit says, refuses the next, and all get the event that comes',
  unit: 'subscribers',
  counts: { full: MOST, reduced: 300 },
  run: ({ count, isFull, random, progress }) =>
    withNode(random, async ({ node }) => {
      const before = residentKiB(node.pid)
      const sockets: IdleSocket[] = []
      while (sockets.length < count) {
        const more = Math.min(AT_A_TIME, count - sockets.length)
        sockets.push(...(await Promise.all(Array.from({ length: more }, () => IdleSocket.open(node.url)))))
        if (sockets.length % 1000 === 0) progress(`${sockets.length} of ${count} are open`)
      }
      await sleep(isFull ? IDLE_MS.full : IDLE_MS.reduced)
      assert.equal(sockets.filter(({ isOpen }) => isOpen).length, count, 'all are still open')
      const perSubscriber = (residentKiB(node.pid) - before) / count
      if (count === MOST) {
        await assert.rejects(IdleSocket.open(node.url), /503/, 'one more is refused')
        assert.ok(perSubscriber < MAX_KIB, `a subscriber takes ${perSubscriber.toFixed(1)} KiB`)
      }
      await pay(node.url, random.pick(OTHERS).publicKey)
      await until(() => sockets.every(({ received }) => received > 0), 'the event came to all', ARRIVE_MS)
      for (const socket of sockets) socket.destroy()
      // Their places are free again.
      const next = await joined(node.url)
      next.destroy()
      await node.stop()
      return { subscribers: count, 'KiB each': count < 1000 ? 'too few to tell' : perSubscriber.toFixed(1) }
    }),
}

async function joined(url: string): Promise<IdleSocket> {
  for (const end = performance.now() + ARRIVE_MS; ; await sleep(50)) {
    const socket = await IdleSocket.open(url).catch((error: unknown) => {
      if (performance.now() > end) throw error
      return undefined
    })
    if (socket !== undefined) return socket
  }
}

/** Lets something happen. */
async function pay(url: string, to: Uint8Array): Promise<void> {
  const client = createClient({ url, webSocket: null })
  await client.faucet(to)
  await client.close()
}

/** What the system holds in memory for a process. */
function residentKiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return z.coerce.number().parse(kib)
}
