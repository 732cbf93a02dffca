import { z } from 'zod'
import { cellPath, encodeTransaction, encodeUnsigned, fromHex, signingBytes, toHex } from '../../../protocol/index.ts'
import { sign } from '../../../server/crypto/ed25519.ts'
import { ask } from '../node/graphql.ts'
import type { NodeUnderTest } from '../node/node-under-test.ts'
import { OTHERS } from '../node/payers.ts'

/** Shards of a node under test, by the first bit of what lives in them. */
export type Half = 0 | 1

/**
 * A transaction whose only action ends the thread of the shard that executes it, as 0x-hex.
 * @param from the shard of its sender
 * @param to the shard that it goes off in
 */
export async function makeBomb(node: NodeUnderTest, from: Half, to: Half, how: 'exit' | 'throw'): Promise<string> {
  const key = OTHERS[from]
  if (key === undefined) throw new RangeError('there is a bomber in each shard')
  const account = z.object({ lanes: z.array(z.object({ nextNonce: z.coerce.number() })) })
  const schema = z.object({ network: z.object({ id: z.string() }), account })
  const address = toHex(key.publicKey)
  const query = `{ network { id } account(address: "${address}") { lanes { nextNonce } } }`
  const found = await ask(node.url, schema, query)
  const unsigned = encodeUnsigned({
    network: fromHex(found.network.id),
    realm: 0,
    sender: key.publicKey,
    key: key.publicKey,
    lane: 0,
    // A block with an error that comes late is still stored, and the nonce used.
    nonce: found.account.lanes[0]?.nextNonce ?? 0,
    validUntil: 10_000_000,
    maxFee: 10_000n,
    actions: [{ to: unusedCell(to), realm: 0, call: 'bomb.explode', args: { how }, value: 0n }],
  })
  return toHex(encodeTransaction(unsigned, sign(signingBytes(unsigned), key)))
}

/** A cell that no module owns, so that any may be called on it. */
function unusedCell(half: Half): Uint8Array {
  const id = new Uint8Array(32)
  while ((cellPath(id)[0] ?? 0) >> 7 !== half) id[0] = (id[0] ?? 0) + 1
  return id
}
