import { strict as assert } from 'node:assert'
import { z } from 'zod'
import { until } from '../../../server/testing/program.ts'
import { ask } from '../node/graphql.ts'

const CATCH_UP_MS = 120_000

const Heights = z.object({
  shards: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string(), height: z.string() }) })) }),
})
const Page = z.object({
  events: z.object({
    edges: z.array(z.object({ cursor: z.string(), node: z.object({ shard: z.string(), height: z.string() }) })),
    pageInfo: z.object({ hasNextPage: z.boolean() }),
  }),
})
const PAGES = `query Blocks($after: Cursor) {
  events(topics: ["execution.block"], first: 100, after: $after) {
    edges { cursor node { shard height } } pageInfo { hasNextPage }
  }
}`

/** The events of all blocks of the genesis shards are in the stream, each once, in the order of the blocks. */
export async function auditBlockEvents(url: string): Promise<void> {
  const { shards } = await ask(url, Heights, '{ shards(first: 100) { edges { node { id height } } } }')
  const heights = shards.edges.map(({ node }) => node).filter(({ id }) => id !== 'root')
  const told = new Map<string, number[]>()
  let after: string | null = null
  await until(
    async () => {
      for (let more = true; more; ) {
        const { events }: z.output<typeof Page> = await ask(url, Page, PAGES, { after })
        for (const { node } of events.edges)
          told.set(node.shard, [...(told.get(node.shard) ?? []), Number(node.height)])
        after = events.edges.at(-1)?.cursor ?? after
        more = events.pageInfo.hasNextPage
      }
      return heights.every(({ id, height }) => (told.get(id)?.at(-1) ?? 0) >= Number(height))
    },
    'the events of all blocks are in the stream',
    CATCH_UP_MS,
  )
  for (const [shard, found] of told)
    assert.deepEqual(
      found,
      found.map((_, i) => i + 1),
      `events of shard ${shard}`,
    )
}
