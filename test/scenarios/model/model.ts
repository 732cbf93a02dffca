import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { faucetId, treasuryId } from '../../../plugins/execution/genesis.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { createTestChain, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import { decodeHeader, equal, fromHex, toHex, ZERO_HASH } from '../../../protocol/index.ts'
import { thenClose } from '../first-error.ts'
import { memoryLog } from '../ledger/memory-log.ts'
import { Diary, type DiaryValue, diary } from '../modules/diary.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { LedgerModel, newParty, type Party } from './ledger-model.ts'
import { FLOOD, OPERATIONS, type World } from './operations.ts'
import { act, charge, ended, MAX_FEE, type Submitted, splitSome } from './round.ts'

const PARTIES = 20
const BALANCE = 10n ** 12n
/** What the faucet pays at a time. */
const DRIP = 12_345n
const SHARDS = [1, 2, 4] as const
/** Transactions of a round, which run in no particular order. */
const MOST_IN_ROUND = 120
/** Of a hundred rounds, so many are interrupted by a restart of the ledger. */
const RESTARTS = 10
/** And in so many rounds everybody sends as much as blocks can hold. */
const FLOODS = 15
/** And in so many a shard is split while it works. */
const SPLITS = 20
const AGREE_WITHIN_MS = 120_000

/** Random transactions over shards that are split meanwhile, against a model that a person could keep on paper. */
export const model: Scenario = {
  name: 'execution/model',
  claim: 'whatever accounts do, over however many shards, split or not, the ledger says what a simple model of it says',
  unit: 'transactions',
  counts: { full: 60_000, reduced: 800 },
  async run({ count, random, progress }) {
    const figures = { transactions: 0, blocks: 0, 'blocks with messages left waiting': 0, restarts: 0, splits: 0 }
    for (const shards of SHARDS) {
      const each = Math.ceil(count / SHARDS.length)
      const found = await compare(shards, each, random, (done) => progress(`${shards} shards: ${done} of ${each}`))
      figures.transactions += each
      figures.blocks += found.blocks
      figures['blocks with messages left waiting'] += found.waiting
      figures.restarts += found.restarts
      figures.splits += found.splits
    }
    return figures
  },
}

async function compare(
  shards: number,
  count: number,
  random: Random,
  progress: (done: number) => void,
): Promise<{ readonly restarts: number; readonly splits: number; readonly blocks: number; readonly waiting: number }> {
  const parties = Array.from({ length: PARTIES }, (_, i) => newParty(testKey(`party ${i}`)))
  const { log, entries } = memoryLog()
  const accounts = parties.map(({ key }) => ({ key, balance: BALANCE }))
  const net = await createTestChain({ shards, accounts, modules: [account, faucet, diary], log, plan: { drip: DRIP } })
  const compared = async () => {
    const operator = newParty(testKey('operator'))
    const { publicKey } = operator.key
    const faucetCell = faucetId(publicKey)
    const world: World = { random, model: new LedgerModel(), parties, operator, faucet: faucetCell, drip: DRIP }
    for (const { key } of parties) world.model.set(key.publicKey, BALANCE)
    for (const cell of await net.chain.cells(0, [publicKey, faucetCell])) {
      if (cell !== null) world.model.set(cell.id, cell.balance + cell.deposit)
    }
    let restarts = 0
    const split = new Set<string>()
    for (let done = 0; done < count; ) {
      const round = Math.min(random.between(1, MOST_IN_ROUND), count - done)
      if (await play(net, world, treasuryId(publicKey), { size: round, split })) restarts++
      await agree(net, world, treasuryId(publicKey))
      if (Math.floor(done / 2000) !== Math.floor((done + round) / 2000)) progress(done + round)
      done += round
    }
    const { total } = await net.settled()
    assert.equal(total, net.network.supply, 'the supply')
    assert.deepEqual(entries, [], 'the ledger complained')
    return { restarts, splits: split.size, ...(await countBlocks(net)) }
  }
  return thenClose(compared, () => net.close())
}

/** How many blocks were made, and how many of them left messages waiting for room. */
async function countBlocks(net: TestChain): Promise<{ readonly blocks: number; readonly waiting: number }> {
  const rows = await net.sql<{ header: Uint8Array }[]>`SELECT header FROM block`
  const waiting = rows.filter(({ header }) => !equal(decodeHeader(header).deferredRoot, ZERO_HASH))
  return { blocks: rows.length, waiting: waiting.length }
}

/** One round; true if the ledger was restarted in the middle of it. */
async function play(
  net: TestChain,
  world: World,
  treasury: Uint8Array,
  { size, split }: { readonly size: number; readonly split: Set<string> },
): Promise<boolean> {
  const { random, model, parties } = world
  const submitted: Submitted[] = []
  const operations = random.percent(FLOODS) ? [FLOOD] : OPERATIONS
  while (submitted.length < size) {
    const one = act(net, world, operations)
    if (one !== undefined) submitted.push(one)
  }
  const parting = random.percent(SPLITS) ? splitSome(net, world, split) : undefined
  if (parting !== undefined) submitted.splice(random.below(submitted.length), 0, parting)
  const wires = submitted.map(({ wire }) => wire)
  const isInterrupted = random.percent(RESTARTS)
  // Included ones outlive the restart, wherever their messages are by then.
  const outcomes = await net.chain.submit(wires, { wait: isInterrupted ? 'INCLUDED' : 'NONE' })
  for (const outcome of outcomes) assert.equal(outcome.kind, 'accepted', JSON.stringify(outcome))
  if (isInterrupted) await net.restart()
  await refuseSome(net, random.pick(parties), random.pick(wires))
  await ended(net, submitted)
  await charge(net, world, treasury, submitted)
  model.settle()
  return isInterrupted
}

/** What cannot be paid is refused; what was paid is not paid again. */
async function refuseSome(net: TestChain, { key, nonces }: Party, known: Uint8Array): Promise<void> {
  const nonce = nonces.get(0) ?? 0
  const all = { to: key.publicKey, value: BALANCE * BigInt(PARTIES) }
  const outcomes = await net.chain.submit([net.sign({ key, nonce, actions: [all], maxFee: MAX_FEE }), known], {
    wait: 'NONE',
  })
  assert.equal(outcomes[0]?.kind === 'refused' && outcomes[0].code, 'INSUFFICIENT_FUNDS')
  assert.equal(outcomes[1]?.kind === 'accepted' && outcomes[1].duplicate, true)
}

/** Ledger and model agree about every cell, and every diary was kept in order. */
async function agree(net: TestChain, { model, parties }: World, treasury: Uint8Array): Promise<void> {
  const ids = [...model.worth.keys()]
  const deadline = Date.now() + AGREE_WITHIN_MS
  for (;;) {
    const cells = await net.chain.cells(0, ids.map(fromHex))
    const wrong = ids.flatMap((id, i) => {
      const cell = cells[i]
      const found = (cell?.balance ?? 0n) + (cell?.deposit ?? 0n)
      return found === model.worth.get(id) ? [] : [{ id, found, expected: model.worth.get(id) }]
    })
    if (wrong.length === 0) break
    // Only fees have no transaction that waits for them: they come to the treasury's shard a moment later.
    const isLate = wrong.every(({ id }) => id === toHex(treasury)) && Date.now() < deadline
    assert.ok(
      isLate,
      `${wrong.length} cells: ${wrong.slice(0, 5).map((one) => `${one.id} has ${one.found}, the model ${one.expected}`)}`,
    )
    await sleep(5)
  }
  const written = parties.flatMap(({ diary, noted, clerksDiary, dictated }) => [
    { id: diary, count: noted },
    { id: clerksDiary, count: dictated },
  ])
  const cells = await net.chain.cells(
    0,
    written.map(({ id }) => id),
  )
  for (const [i, { count }] of written.entries()) {
    const found = cells[i] === null ? undefined : Diary.schema.parse(cells[i]?.value)
    assert.deepEqual(found ?? EMPTY, { count, last: count - 1, disorder: 0 }, 'a diary')
  }
}

const EMPTY: DiaryValue = { count: 0, last: -1, disorder: 0 }
