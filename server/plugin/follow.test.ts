import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePlugin, follow, topic } from '../plugin.ts'
import { createTestHost, type TestHost, until } from '../testing/index.ts'

const Written = topic('writer.written', z.object({ n: z.int() }))
const basis = { version: '1.0.0', api: '^1.0.0' }
const writer = definePlugin({
  ...basis,
  name: 'writer',
  topics: [Written],
  graphql: (builder) => builder.queryField('one', (t) => t.int({ resolve: () => 1 })),
})()

/** Copies what was written; each n at most once, or the table refuses it. */
const reader = (name: string, onApply: (n: number) => void = () => undefined) =>
  definePlugin({
    ...basis,
    name: 'reader',
    dependsOn: { writer: '^1.0.0' },
    migrations: new URL('./fixtures/copy-migrations/', import.meta.url),
    jobs: [
      follow({
        name,
        topic: Written,
        apply: async ({ payload }, tx) => {
          await tx`insert into copy (reader, n) values (${name}, ${payload.n})`
          onApply(payload.n)
        },
      }),
    ],
  })()

let host: TestHost
afterEach(() => host.stop())

const copied = async (name: string): Promise<number[]> =>
  (await host.sql('reader')<{ n: number }[]>`select n from copy where reader = ${name} order by n`).map(({ n }) => n)
const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n)

async function publish(from: number, to: number): Promise<void> {
  const all = upTo(to).slice(from)
  await host.node.events.publishAll(
    host.sql('core'),
    all.map((n) => [Written, { n }]),
  )
}

describe('a plugin that follows a topic', () => {
  it('takes each event in once, those from before it was there too, over restarts', async () => {
    host = await createTestHost({ plugins: [writer, reader('copy')] })
    await publish(0, 250)
    await until(async () => (await copied('copy')).length === 250, 'the first are there')
    await host.restart()
    await publish(250, 300)
    await until(async () => (await copied('copy')).length === 300, 'all are there')
    expect(await copied('copy')).toEqual(upTo(300))
  })

  it('keeps nothing of an event that it failed to take in, and tries it again', async () => {
    const failures: number[] = []
    const clumsy = reader('clumsy', (n) => {
      if (n !== 7 || failures.length >= 2) return
      failures.push(n)
      throw new Error('dropped it')
    })
    host = await createTestHost({ plugins: [writer, clumsy] })
    await publish(0, 10)
    await until(async () => (await copied('clumsy')).length === 10, 'all are there')
    expect(await copied('clumsy')).toEqual(upTo(10))
    expect(failures).toEqual([7, 7])
  })

  it('is fenced: what a replaced leader takes in is not kept', async () => {
    let isReplaced = false
    const slow = reader('slow', () => {
      isReplaced = true
    })
    host = await createTestHost({ plugins: [writer, slow] })
    await publish(0, 1)
    await until(() => isReplaced, 'the first event is there')
    await until(async () => (await copied('slow')).length === 1, 'it is kept')
    // Another leader, as far as the database knows.
    const [before] = await host.sql('core')<{ fence: bigint }[]>`
      update lease set fence = fence + 1 where name = 'reader/slow' returning fence`
    expect(before?.fence).toBeGreaterThan(0n)
    await publish(1, 2)
    // The old leader's transaction fails; this node takes the lease again under a newer fence, and goes on.
    await until(async () => (await copied('slow')).length === 2, 'it goes on as the new leader', 30_000)
    expect(await copied('slow')).toEqual([0, 1])
  })
})
