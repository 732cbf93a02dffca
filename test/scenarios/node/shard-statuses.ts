import { z } from 'zod'
import { ask } from './graphql.ts'

const node = z.object({ id: z.string(), status: z.string() })
const schema = z.object({ shards: z.object({ edges: z.array(z.object({ node })) }) })

/** The status of each shard, by its id. */
export async function shardStatuses(url: string): Promise<ReadonlyMap<string, string>> {
  const { shards } = await ask(url, schema, '{ shards { edges { node { id status } } } }')
  return new Map(shards.edges.map((edge) => [edge.node.id, edge.node.status]))
}
