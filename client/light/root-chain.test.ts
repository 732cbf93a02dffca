import { describe, expect, test } from 'vitest'
import {
  concat,
  encode,
  encodeRootHeader,
  encodeVotes,
  equal,
  listRoot,
  type RootHeader,
  rootHeaderHash,
  sha256,
  toHex,
  votingBytes,
  ZERO_HASH,
} from '../../protocol/index.ts'
import { type KeyPair, keyPairFromSeed } from '../keypair.ts'
import { NewestBlocks } from './newest-blocks.ts'
import { RootChain, type ShownRoot, shownRoot } from './root-chain.ts'

const validators = [1, 2, 3, 4].map((seed) => keyPairFromSeed(new Uint8Array(32).fill(seed)))
const stranger = keyPairFromSeed(new Uint8Array(32).fill(9))
const three = { keys: new Set(validators.map(({ address }) => address)), quorum: 3 }
const quorum = validators.slice(0, 3)

/** A root block on top of another; `salt` makes it another one. */
function block(before: ShownRoot | undefined, signers: readonly KeyPair[], salt = 0): ShownRoot {
  const header: RootHeader = {
    height: before === undefined ? 100 : before.header.height + 1,
    prevHash: before === undefined ? ZERO_HASH : before.hash,
    time: 1_750_000_000_000,
    headersRoot: listRoot([]),
    cellsRoot: ZERO_HASH,
    outRoot: listRoot([]),
    exportsRoot: ZERO_HASH,
    reveal: sha256(Uint8Array.of(salt)),
    random: ZERO_HASH,
    anchor: ZERO_HASH,
  }
  const bytes = encodeRootHeader(header)
  const hash = rootHeaderHash(bytes)
  const votes = signers.map((key) => ({ validator: key.publicKey, signature: key.sign(votingBytes(hash)) }))
  return shownRoot(bytes, encodeVotes(votes))
}

/** So many root blocks, one on top of the other. */
function blocks(from: ShownRoot, count: number, signers: readonly KeyPair[] = quorum, salt = 0): ShownRoot[] {
  const made: ShownRoot[] = []
  for (let i = 0; i < count; i++) made.push(block(made.at(-1) ?? from, signers, salt))
  return made
}

const first = block(undefined, quorum)
const invalid = (reason: string) => expect.objectContaining({ code: 'PROOF_INVALID', reason })

describe('a chain of root blocks', () => {
  test('takes what a quorum voted for, and its ancestors with it', () => {
    const chain = new RootChain(three, first)
    const unsigned = blocks(first, 4, [])
    const last = block(unsigned.at(-1), quorum)
    expect(chain.extend([...unsigned, last])).toHaveLength(5)
    expect(equal(chain.tip.hash, last.hash)).toBe(true)
    expect(chain.hashAt(102)).toEqual(unsigned[1]?.hash)
    expect(chain.hashAt(106)).toBeUndefined()
    // What is known already changes nothing, with votes or without.
    expect(chain.extend(unsigned)).toEqual([])
  })

  test('refuses too few votes, votes of strangers, votes for something else, and one vote twice', () => {
    const chain = new RootChain(three, first)
    const next = block(first, quorum)
    const withVotes = (votes: Uint8Array) => chain.extend([{ ...next, votes }])
    expect(() => chain.extend([block(first, validators.slice(0, 2))])).toThrow(invalid('VOTES'))
    expect(() => chain.extend([block(first, [...validators.slice(0, 2), stranger])])).toThrow(invalid('VOTES'))
    expect(() => withVotes(block(first, quorum, 1).votes)).toThrow(invalid('VOTES'))
    const vote = { validator: quorum[0]?.publicKey ?? ZERO_HASH, signature: quorum[0]?.sign(votingBytes(next.hash)) }
    const twice = [vote, vote, vote].map(({ validator, signature }) => [validator, signature ?? ZERO_HASH])
    expect(() => withVotes(encode(twice))).toThrow(invalid('ENCODING'))
    expect(() => withVotes(concat(next.votes, Uint8Array.of(0)))).toThrow(invalid('ENCODING'))
    expect(chain.tip.header.height).toBe(100)
    expect(chain.extend([next])).toHaveLength(1)
  })

  test('refuses gaps, and blocks that do not lead to one another', () => {
    const chain = new RootChain(three, first)
    const [one, two, three_] = blocks(first, 3) as [ShownRoot, ShownRoot, ShownRoot]
    expect(() => chain.extend([two])).toThrow(invalid('LINK'))
    expect(() => chain.extend([one, three_])).toThrow(invalid('LINK'))
    expect(() => chain.extend([block(first, quorum, 1), two])).toThrow(invalid('LINK'))
    expect(chain.tip.header.height).toBe(100)
  })

  test('ends with FORK once two blocks of one height are voted for, and names them', () => {
    for (const depth of [0, 2]) {
      const chain = new RootChain(three, first)
      const known = blocks(first, 4)
      chain.extend(known)
      // Another chain that leaves this one: only its last block carries votes.
      const [start] = blocks(first, 1, [], 1) as [ShownRoot]
      const other = depth === 0 ? [block(first, quorum, 1)] : [start, ...blocks(start, depth, [], 1)]
      if (depth > 0) other.push(block(other.at(-1), quorum, 1))
      const fork = expect.objectContaining({ code: 'FORK', reason: '101' })
      expect(() => chain.extend(other)).toThrow(fork)
      expect(() => chain.extend(other)).toThrow(toHex(other[0]?.hash ?? ZERO_HASH))
      expect(() => chain.tip).toThrow(toHex(known[0]?.hash ?? ZERO_HASH))
      expect(() => chain.hashAt(100)).toThrow(fork)
    }
  })

  test('takes no block for a fork that nobody voted for', () => {
    const chain = new RootChain(three, first)
    chain.extend(blocks(first, 2))
    expect(() => chain.extend([block(first, [], 1)])).toThrow(invalid('VOTES'))
    expect(() => chain.extend([block(block(first, [], 1), [stranger], 1)])).toThrow(invalid('VOTES'))
    expect(chain.tip.header.height).toBe(102)
  })

  test('notices a fork from the block that follows one it does not know', () => {
    const chain = new RootChain(three, first)
    chain.extend(blocks(first, 1))
    const other = block(block(first, [], 1), quorum, 1)
    expect(() => chain.extend([other])).toThrow(expect.objectContaining({ code: 'FORK', reason: '101' }))
  })

  test('jumps ahead by votes alone', () => {
    const chain = new RootChain(three, first)
    const far = blocks(first, 9)
    const last = far.at(-1) as ShownRoot
    expect(() => chain.jump({ ...last, votes: encodeVotes([]) })).toThrow(invalid('VOTES'))
    chain.jump(last)
    expect(chain.tip.header.height).toBe(109)
    expect(chain.hashAt(100)).toBeUndefined()
    chain.extend(blocks(last, 1))
    expect(chain.tip.header.height).toBe(110)
  })

  test('remembers so many, and no more', () => {
    const chain = new RootChain(three, first, 50)
    const more = blocks(first, 99, [])
    const tip = block(more.at(-1), quorum)
    chain.extend([...more, tip])
    expect(chain.hashAt(tip.header.height - 50)).toBeUndefined()
    expect(chain.hashAt(tip.header.height - 49)).toBeDefined()
  })
})

describe('how new a proven state is', () => {
  test('is held against the shard, those that it came from, and those that came from it', () => {
    const newest = new NewestBlocks()
    newest.note('0:0', 40)
    newest.note('0:01', 55)
    expect(() => newest.check('0:0', 39)).toThrow(invalid('STALE'))
    expect(() => newest.check('0:0', 41)).toThrow(invalid('STALE'))
    expect(() => newest.check('0:', 54)).toThrow(invalid('STALE'))
    expect(() => newest.check('0:010', 54)).toThrow(invalid('STALE'))
    newest.check('0:01', 55)
    newest.check('0:00', 41)
    newest.check('0:1', 0)
    newest.check('1:0', 0)
    const before = newest.copy()
    newest.note('0:1', 7)
    before.check('0:1', 3)
    expect(() => newest.check('0:1', 3)).toThrow(invalid('STALE'))
  })
})
