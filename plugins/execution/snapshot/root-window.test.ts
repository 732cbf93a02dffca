import { describe, expect, it } from 'vitest'
import {
  type CommittedHeader,
  encodeGenesis,
  encodeRootHeader,
  headersRoot,
  listRoot,
  rootHeaderHash,
  sha256,
  ZERO_HASH,
} from '../../../protocol/index.ts'
import { openGenesis, planGenesis } from '../genesis.ts'
import { encodeExportChanges } from '../root/exports.ts'
import { encodeEntries } from '../root/root-store.ts'
import { testKey } from '../testing.ts'
import { RootWindow } from './root-window.ts'

const NOTHING = new Uint8Array(0)
const entryOf = (shard: string, height: number): CommittedHeader => ({
  shard,
  height,
  hash: sha256(new TextEncoder().encode(`${shard}/${height}`)),
})

/** The header of a root block that lists these blocks, and neither sends nor exports anything. */
const rootOf = (height: number, prevHash: Uint8Array, entries: readonly CommittedHeader[]): Uint8Array =>
  encodeRootHeader({
    height,
    prevHash,
    time: height,
    headersRoot: headersRoot(entries),
    cellsRoot: ZERO_HASH,
    outRoot: listRoot([]),
    exportsRoot: ZERO_HASH,
    reveal: ZERO_HASH,
    random: ZERO_HASH,
    anchor: ZERO_HASH,
  })

/** A window that has read root block 1. */
function opened(): { readonly window: RootWindow; readonly before: Uint8Array } {
  const plan = { name: 'test', kind: 'production', shards: 1, basePrice: 1n, depositPerByte: 1n, drip: 0n } as const
  const document = encodeGenesis(
    planGenesis(
      { ...plan, accounts: [] },
      { operator: testKey('operator').publicKey, anchor: ZERO_HASH, modules: [], time: 1 },
    ),
  )
  const network = openGenesis(document)
  const window = new RootWindow({ network, document, height: 2, from: 1, shards: [], exports: [] })
  const first = rootOf(1, ZERO_HASH, [])
  window.root(first, encodeEntries([]), encodeExportChanges([]), NOTHING)
  return { window, before: rootHeaderHash(first) }
}

describe('root blocks of a snapshot', () => {
  const entries = [entryOf('0:', 5), entryOf('0:', 6)]
  const take = (listed: Uint8Array, exports = encodeExportChanges([])) => {
    const { window, before } = opened()
    return window.root(rootOf(2, before, entries), listed, exports, NOTHING)
  }

  it('list blocks in the order in which they are committed', () => {
    expect(take(encodeEntries(entries)).entries).toEqual(entries)
  })

  // An earlier block of a shard, with the state that it had then, would pass for its last one.
  it('are refused with the same blocks in another order', () => {
    expect(() => take(encodeEntries(entries.toReversed()))).toThrow(expect.objectContaining({ code: 'FALSE_STATE' }))
  })

  it('are refused if they export a key twice', () => {
    const twice = encodeExportChanges([
      ['a/b', null],
      ['a/b', null],
    ])
    expect(() => take(encodeEntries(entries), twice)).toThrow(/exports a key twice/)
  })

  it('are refused with bytes behind their list', () => {
    const longer = new Uint8Array([...encodeEntries(entries), 0])
    expect(() => take(longer)).toThrow(expect.objectContaining({ code: 'FALSE_STATE' }))
  })
})
