import { expect, it } from 'vitest'
import { cellPath, decodeHeader, encodeGenesis, type Message, ROOT_SHARD } from '../../../protocol/index.ts'
import { openGenesis, planGenesis } from '../genesis.ts'
import { genesisBlock } from '../genesis-block.ts'
import { ModuleLibrary } from '../ledger/module-library.ts'
import { account } from '../modules/account.ts'
import { SYSTEM_MODULES } from '../modules/system.ts'
import { encodeShardEntry, shardKey } from '../root/exports.ts'
import { genesisExports } from '../root/genesis-exports.ts'
import { RevealChain } from '../root/reveal-chain.ts'
import { RootView } from '../root/root-view.ts'
import { BlockMaker } from '../shard/block-maker.ts'
import { tipAfter } from '../shard/chain-tip.ts'
import type { RootDelivery } from '../shard/inbox.ts'
import { OutBox } from '../shard/out-box.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { CellStore } from '../state/cell-store.ts'
import { Holdings } from '../state/holdings.ts'
import { openRecord } from '../state/ledger-cell.ts'
import { testKey } from '../testing.ts'
import { ReplayedShard } from './replayed-shard.ts'

const modules = [account, ...SYSTEM_MODULES]
const operator = testKey('operator').publicKey
const genesis = planGenesis(
  { name: 'test', kind: 'development', shards: 1, basePrice: 1n, depositPerByte: 10n, drip: 1n, accounts: [] },
  { operator, anchor: new RevealChain(new Uint8Array(32)).genesisAnchor, modules, time: 1 },
)
const network = openGenesis(encodeGenesis(genesis))
const rules = { library: new ModuleLibrary(modules), params: network.params }
const space = shardSpace('0:')
const random = new Uint8Array(32)
const at = (height: number) => ({ random, time: height })

/** A root block that brings a message, and says when the shard is split. */
function delivery(height: number, until: number, time = height): RootDelivery {
  const box = new OutBox()
  const [to, nobody] = [operator, new Uint8Array(32)]
  const message: Message = {
    ...{ kind: 'call', origin: random, action: 0, from: nobody, fromRealm: 0, module: 'account', to, realm: 0 },
    ...{ call: 'account.credit', args: {}, value: 0n, payer: nobody, payerRealm: 0, code: '' },
  }
  box.add(cellPath(to), message)
  const sources = [{ shard: ROOT_SHARD, height, items: box.finish().bytes }]
  return {
    height,
    time,
    random,
    sources,
    exports: [[shardKey('0:'), encodeShardEntry({ from: 0, parent: null, until })]],
  }
}

/** The shard's first block after genesis, by a proposer who takes in what it likes. */
async function proposed(deliveries: readonly RootDelivery[]) {
  const { cells, trie, header, hash, body, holdings } = genesisBlock(network, space)
  const store = new CellStore({ cacheSize: 2 })
  const worth = new Holdings(0)
  for (const { path, record } of cells) {
    const cell = openRecord(record, path)
    store.restore(cell)
    worth.add(path, cell.balance + network.params.depositPerByte * BigInt(cell.depositBytes))
  }
  const view = RootView.EMPTY.with(genesisExports(network.genesis))
  const parts = { ...rules, space, store, trie, load: async () => undefined }
  const maker = new BlockMaker(parts, { waiting: [], holdings: worth, random: network.id, view })
  const tip = tipAfter(decodeHeader(header), {
    hash,
    bodyBytes: body.length,
    totals: { holdings, emitted: 0n, consumed: 0n },
  })
  const { block } = await maker.make(tip, { deliveries, candidates: [], now: 2 })
  if (block === undefined) throw new TypeError('there was nothing to do')
  return { ...block, shard: space.id, height: 1, header: block.headerBytes }
}

it('takes in no root block beyond the one at which it is split, even if it learns of that in the same block', async () => {
  for (const [last, verdict] of [
    [4, undefined],
    [5, 'rootCursor'],
  ] as const) {
    const deliveries = [delivery(1, 4), delivery(last, 4)]
    const shard = ReplayedShard.atGenesis(space.id, network, rules)
    for (const one of deliveries) shard.deliver(one)
    const block = await proposed(deliveries)
    const replayed = shard.replay(block, { height: 9, at })
    if (verdict === undefined) expect((await replayed).header.rootCursor).toBe(last)
    else await expect(replayed).rejects.toMatchObject({ what: verdict })
  }
})

it('takes in no root block that is not before the one that lists it', async () => {
  const shard = ReplayedShard.atGenesis(space.id, network, rules)
  const block = await proposed([delivery(5, 9)])
  await expect(shard.replay(block, { height: 4, at })).rejects.toMatchObject({ what: 'rootCursor' })
})

it('is not before the last root block that it takes in, whatever the proposer says', async () => {
  const block = await proposed([delivery(1, 9, 40), delivery(2, 9, 50)])
  expect(decodeHeader(block.header).time).toBe(50)
  for (const [time, verdict] of [
    [50, undefined],
    [51, 'time'],
  ] as const) {
    const shard = ReplayedShard.atGenesis(space.id, network, rules)
    for (const one of [delivery(1, 9, 40), delivery(2, 9, time)]) shard.deliver(one)
    const replayed = shard.replay(block, { height: 9, at })
    if (verdict === undefined) expect((await replayed).header.time).toBe(50)
    else await expect(replayed).rejects.toMatchObject({ what: verdict })
  }
})
