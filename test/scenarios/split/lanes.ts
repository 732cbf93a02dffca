import { strict as assert } from 'node:assert'
import { z } from 'zod'
import { cellPath, prefixOf, toHex } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import type { Book } from '../node/book.ts'
import { ask } from '../node/graphql.ts'
import { PAYERS } from '../node/payers.ts'

const Included = z.object({
  id: z.string(),
  nonce: z.string(),
  index: z.int(),
  block: z.object({ height: z.string(), shard: z.object({ prefix: z.string() }) }),
})
const Page = z.object({
  transactions: z.object({
    edges: z.array(z.object({ node: Included })),
    pageInfo: z.object({ endCursor: z.string().nullable(), hasNextPage: z.boolean() }),
  }),
})
const PAGES = `query Sent($sender: Bytes!, $after: Cursor) {
  transactions(sender: $sender, first: 100, after: $after) {
    edges { node { id nonce index block { height shard { prefix } } } } pageInfo { endCursor hasNextPage }
  }
}`

/**
 * Each payment of the book is in one block of its sender's shard, or of one that this was split off from, nothing else
 * is, and a later nonce stands behind an earlier one: heights go on from a shard to its children.
 */
export async function auditLanes(url: string, book: Book): Promise<void> {
  await Promise.all(PAYERS.map((payer) => auditLane(url, payer, book)))
}

async function auditLane(url: string, payer: SigningKey, book: Book): Promise<void> {
  const sender = toHex(payer.publicKey)
  const path = cellPath(payer.publicKey)
  const sent = await sentBy(url, sender)
  const placed = sent.map(({ id, nonce, index, block: { height, shard } }) => {
    assert.equal(prefixOf(path, shard.prefix.length), shard.prefix, `${id} is in a block of its sender’s shard`)
    return { id, nonce: Number(nonce), height: Number(height), index }
  })
  placed.sort((a, b) => a.height - b.height || a.index - b.index)
  assert.deepEqual(
    placed.map(({ id, nonce }) => ({ id, nonce })),
    book.of(payer).map(({ id }, nonce) => ({ id, nonce })),
    `what ${sender} sent, in the order of its blocks`,
  )
}

async function sentBy(url: string, sender: string): Promise<z.output<typeof Included>[]> {
  const sent: z.output<typeof Included>[] = []
  for (let after: string | null = null; ; ) {
    const { transactions }: z.output<typeof Page> = await ask(url, Page, PAGES, { sender, after })
    sent.push(...transactions.edges.map(({ node }) => node))
    if (!transactions.pageInfo.hasNextPage) return sent
    after = transactions.pageInfo.endCursor
  }
}
