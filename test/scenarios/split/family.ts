import { strict as assert } from 'node:assert'
import { z } from 'zod'
import { AnswerError, ask } from '../node/graphql.ts'

const Named = z.object({ id: z.string() })
const Shards = z.object({
  shards: z.object({
    edges: z.array(
      z.object({
        node: z.object({ id: z.string(), status: z.string(), parent: Named.nullable(), children: z.array(Named) }),
      }),
    ),
  }),
})
const SHARDS = '{ shards(first: 100) { edges { node { id status parent { id } children { id } } } } }'

const childrenOf = (shard: string): readonly string[] => ['0', '1'].map((bit) => shard + bit)

/** The shards that a node shows; undefined while it does not answer. */
export async function shardsOf(url: string) {
  try {
    const { shards } = await ask(url, Shards, SHARDS)
    return new Map(shards.edges.map(({ node }) => [node.id, node]))
  } catch (error) {
    if (error instanceof AnswerError) return undefined
    throw error
  }
}

/** All shards that were split have both children, all others run, and there is nothing else. */
export async function auditFamily(url: string, genesis: readonly string[], splits: readonly string[]): Promise<void> {
  const found = await shardsOf(url)
  assert.ok(found !== undefined, 'the node shows its shards')
  const born = splits.flatMap((parent) => childrenOf(parent).map((id) => ({ id, parent })))
  const family = [...genesis.map((id) => ({ id, parent: undefined })), { id: 'root', parent: undefined }, ...born]
  const expected = family.map(({ id, parent }) => {
    const isSplit = splits.includes(id)
    return {
      id,
      status: isSplit ? 'SPLIT' : 'RUNNING',
      parent: parent === undefined ? null : { id: parent },
      children: isSplit ? childrenOf(id).map((child) => ({ id: child })) : [],
    }
  })
  const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1)
  const shown = [...found.values()].map((shard) => ({ ...shard, children: [...shard.children].sort(byId) }))
  assert.deepEqual(shown.sort(byId), expected.sort(byId), 'the family tree')
}
