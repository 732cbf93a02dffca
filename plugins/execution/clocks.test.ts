import { afterEach, expect, it, vi } from 'vitest'
import {
  decodeHeader,
  decodeRootHeader,
  encodeRootHeader,
  encodeVotes,
  rootHeaderHash,
  votingBytes,
} from '../../protocol/index.ts'
import { sign } from '../../server/crypto/ed25519.ts'
import { storedNetwork } from './genesis-store.ts'
import { replayChain } from './replay/index.ts'
import { chainInDatabase, type StoredChain } from './replay/stored-chain.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from './testing.ts'

const HOUR = 3_600_000
const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')

let net: TestChain | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await net?.close()
})

/** A ledger whose root chain has another clock than its shards, after some payments between these. */
async function paidWhile(ahead: number): Promise<TestChain> {
  const { now } = Date
  // Shards run in threads of their own, where it is as it was.
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ahead)
  net = await createTestChain({ accounts: [alice, bob].map((key) => ({ key, balance: 10n ** 9n })) })
  for (let nonce = 0; nonce < 4; nonce++)
    await net.chain.submit([net.transfer(alice, bob, 1n, nonce), net.transfer(bob, alice, 1n, nonce)], {
      wait: 'EXECUTED',
    })
  await net.settled()
  return net
}

async function replay({ sql, modules }: TestChain, chain: StoredChain = chainInDatabase(sql)) {
  const network = await storedNetwork(sql)
  if (network === undefined) throw new TypeError('the test chain has no genesis')
  return replayChain({ network, modules, chain })
}

it.each([
  ['behind', -HOUR],
  ['ahead', HOUR],
])('never takes time back along a message, with a root chain whose clock is an hour %s', async (_how, ahead) => {
  const ledger = await paidWhile(ahead)
  const { message } = ledger.chain.health()
  await ledger.chain.stop()
  // By the clock of the node: what shards with others made took it along.
  if (ahead < 0) expect(message).toMatch(/^the ledger's time stands still until /)
  const roots = await ledger.sql<{ header: Uint8Array }[]>`SELECT header FROM root_block ORDER BY height`
  const times = roots.map(({ header }) => decodeRootHeader(header).time)
  const blocks = await ledger.sql<{ header: Uint8Array; root: bigint }[]>`
    SELECT header, root FROM block JOIN root_entry USING (shard, height) WHERE height > 0`
  expect(blocks.length).toBeGreaterThan(8)
  for (const { header, root } of blocks) {
    const { time, rootCursor } = decodeHeader(header)
    expect(time).toBeGreaterThanOrEqual(times[rootCursor] ?? Number.POSITIVE_INFINITY)
    expect(time).toBeLessThanOrEqual(times[Number(root)] ?? 0)
  }
  expect((await replay(ledger)).transactions).toBe(8)
})

it('is told of when a root block is before a block that it lists, though a validator signed it', async () => {
  const ledger = await paidWhile(-HOUR)
  await ledger.chain.stop()
  const chain = chainInDatabase(ledger.sql)
  const roots: StoredChain['roots'] = async function* (from) {
    for await (const stored of chain.roots(from)) {
      const header = decodeRootHeader(stored.header)
      if (header.height === 0 || stored.entries.length <= 1) {
        yield stored
        continue
      }
      // The first one that lists a block: that is made by the shard's clock, which the root chain's own is far behind.
      const encoded = encodeRootHeader({ ...header, time: Date.now() })
      const hash = rootHeaderHash(encoded)
      const operator = testKey('operator')
      const votes = encodeVotes([{ validator: operator.publicKey, signature: sign(votingBytes(hash), operator) }])
      return yield { ...stored, header: encoded, hash, votes }
    }
  }
  await expect(replay(ledger, { ...chain, roots })).rejects.toMatchObject({
    place: { shard: 'root' },
    what: 'time',
    message: expect.stringContaining('which it lists'),
  })
})
