import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { treasuryId } from '../../../plugins/execution/genesis.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { realmSalt } from '../../../plugins/execution/modules/realm.ts'
import { verifyDatabase } from '../../../plugins/execution/replay/index.ts'
import { createTestChain, SPLIT_LANE, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import { type Action, cellId, encode, equal, ROOT_REALM, toHex } from '../../../protocol/index.ts'
import { thenClose } from '../first-error.ts'
import { memoryLog } from '../ledger/memory-log.ts'
import { bytesHeld, type PaperCell } from '../paper/paper-cells.ts'
import { PaperLedger } from '../paper/paper-ledger.ts'
import { storedRoots } from '../paper/stored.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { Client, type Handed, type Signer } from './client.ts'
import { drawActions, drawFlood, type Material, usedAt } from './draw-actions.ts'
import { drawModules, LATE, NAMES, saltedCalls, VERSIONS } from './draw-modules.ts'
import { randomModules } from './random-modules.ts'

const PARTIES = 12
const BALANCE = 10n ** 12n
const BOND = 1_000_000n
const DEPOSIT_PER_BYTE = 10n
/** How large it gets. Each shard has a thread of its own, which takes its time to start. */
const FULL = { begin: [1, 2, 4], shards: 8, round: 50, switch: 20 } as const
const REDUCED = { begin: [1, 2], shards: 5, round: 15, switch: 8 } as const
type Size = typeof FULL | typeof REDUCED
const MOST_REALMS = 3
/** A lane in which nonces come out of order. */
const LANE_OF_LATE = 5
/** Between calls of a module that is being switched. */
const SWITCH_STEP_MS = 5
/** Transactions of one network; then another one begins, with other modules. */
const OF_ONE_NETWORK = 600
/** What happens in a round beside transactions. Each of them does once, in any order, before the first does again. */
const EVENTS = ['flood', 'split', 'split', 'realm', 'switch', 'switch', 'switch', 'restart'] as const
type Event = (typeof EVENTS)[number]
/** In so many of a hundred rounds, another one happens, too. */
const TWICE = 40
const operator = testKey('operator')

/** Modules that nobody wrote: each network has others. */
export const programs: Scenario = {
  name: 'execution/programs',
  claim:
    'whatever modules are programmed to do, over splits, new realms, switched versions and restarts, cells, outcomes, events and supply are those of a sequential model',
  unit: 'transactions',
  counts: { full: 20_000, reduced: 60 },
  async run({ count, isFull, random, progress }) {
    const figures: Record<string, number> = { networks: 0 }
    for (let done = 0; done < count; ) {
      const length = Math.min(OF_ONE_NETWORK, count - done)
      const tell = (text: string): void => progress(`${done} of ${count}, ${text}`)
      const found = await compare(length, isFull ? FULL : REDUCED, random.fork(), tell)
      for (const [name, times] of Object.entries(found)) figures[name] = (figures[name] ?? 0) + times
      figures.networks = (figures.networks ?? 0) + 1
      done += length
    }
    return figures
  },
}

interface World extends Material {
  readonly net: TestChain
  readonly client: Client
  readonly paper: PaperLedger
  /** Accounts that have coins, in whatever realm. */
  readonly signers: Signer[]
  readonly size: Size
  /** What has still to happen. */
  readonly deck: Event[]
  readonly happened: Record<'restarts' | 'crashes' | 'splits' | 'realms' | 'switches', number>
}

/** Runs a network with modules of its own, and gives what was counted. */
async function compare(
  count: number,
  size: Size,
  random: Random,
  progress: (text: string) => void,
): Promise<Record<string, number>> {
  const seed = random.next()
  const plans = drawModules(seed)
  const salted = saltedCalls(plans)
  const modules = randomModules(seed)
  const first = modules.filter(({ name, version }) => version === VERSIONS[0] && name !== LATE)
  const parties = Array.from({ length: PARTIES }, (_, i) => testKey(`party ${i}`))
  const { log, entries } = memoryLog()
  const net = await createTestChain({
    shards: random.pick<number>(size.begin),
    accounts: parties.map((key) => ({ key, balance: BALANCE })),
    modules: [account, ...first],
    offered: modules.filter((module) => !first.includes(module)),
    plan: { realmBond: BOND, depositPerByte: DEPOSIT_PER_BYTE },
    log,
  })
  const paper = new PaperLedger({
    genesis: net.network.genesis,
    depositPerByte: DEPOSIT_PER_BYTE,
    treasury: { realm: 0, id: treasuryId(operator.publicKey) },
    supply: net.network.supply,
    operator: operator.publicKey,
    realmBond: BOND,
    maxShards: net.network.rules.maxShards,
    plans,
    salted,
  })
  const { history } = paper
  const signers = parties.map((key) => ({ key, realm: 0 }))
  const happened = { restarts: 0, crashes: 0, splits: 0, realms: 0, switches: 0 }
  const client = new Client(net)
  const material = { random, plans, salted, parties, history }
  const world: World = { ...material, net, client, paper, signers, happened, size, deck: [] }
  const play = async (): Promise<void> => {
    await agree(world)
    for (let done = 0; done < count; ) {
      done += await round(world, Math.min(random.between(1, size.round), count - done))
      await agree(world)
      progress(`modules ${seed}: ${done} of ${count}`)
    }
    assert.equal((await net.settled()).total, net.network.supply, 'the supply')
    assert.deepEqual(entries, [], 'the ledger complained')
    await verifyDatabase({ sql: net.sql, offered: [...new Set([...net.modules, ...modules])] })
  }
  await thenClose(play, () => net.close())
  return { ...paper.counts, ...happened, evicted: client.evicted }
}

/** Random transactions, and what happens to the ledger meanwhile. Gives how many there were. */
async function round(world: World, size: number): Promise<number> {
  const { net, random, client, signers, parties } = world
  const events = new Set(random.percent(TWICE) ? [drawEvent(world), drawEvent(world)] : [drawEvent(world)])
  const used = usedAt(world, net.chain.rootHeight())
  const flooded = events.has('flood') ? random.pick(parties).publicKey : undefined
  const handed: Handed[] = []
  while (handed.length < size) {
    const signer = random.pick(signers)
    const isFlooding = flooded !== undefined && random.percent(70)
    const actions = isFlooding ? drawFlood(world, used, flooded) : drawActions(world, used, signer.key)
    handed.push(client.sign(signer, random.pick([0, 0, 0, 1, 2, 16, 200]), actions))
  }
  const before = world.history.pages.realms.size
  for (const one of drawRootCalls(world, events)) handed.splice(random.below(handed.length + 1), 0, one)
  if (events.has('restart')) await interrupt(world, handed)
  else await client.submit(handed)
  const more = events.has('switch') ? await switchSome(world) : 0
  await client.finish()
  await agree(world)
  const { size: after } = world.history.pages.realms
  for (let realm = before; realm < after; realm++) await settleIn(world, realm)
  return handed.length + more
}

function drawEvent({ random, deck }: World): Event {
  if (deck.length === 0) deck.push(...EVENTS)
  const [event] = deck.splice(random.below(deck.length), 1)
  return event ?? 'flood'
}

/** Stops the ledger, or ends it as a crash does: while transactions wait, or while their messages are on their way. */
async function interrupt({ net, random, client, happened }: World, handed: readonly Handed[]): Promise<void> {
  await client.submit(handed, random.percent(50) ? 'INCLUDED' : 'NONE')
  if (random.percent(50)) {
    happened.crashes++
    await net.crash()
  } else {
    happened.restarts++
    await net.restart()
  }
}

/** What the operator and founders of realms do, some of which they may not. */
function drawRootCalls(world: World, events: ReadonlySet<Event>): Handed[] {
  const { net, random, client, parties, happened, size } = world
  const handed: Handed[] = []
  const byOperator = { key: operator, realm: 0 }
  const byParty = { key: random.pick(parties), realm: 0 }
  const atRoot = (signer: Signer, action: Omit<Action, 'realm' | 'value'> & { value?: bigint }): void => {
    handed.push(client.sign(signer, SPLIT_LANE, [{ ...action, realm: ROOT_REALM }]))
  }
  const running = net.chain.shards().filter(({ id, status }) => id !== 'root' && status === 'RUNNING')
  if (events.has('split') && running.length < size.shards) {
    happened.splits++
    const args = { shard: random.pick(running).id }
    atRoot(random.percent(90) ? byOperator : byParty, { to: operator.publicKey, call: 'shard.split', args })
  }
  const realms = world.history.pages.realms.size
  if (events.has('realm') && realms < MOST_REALMS && running.length < size.shards - 1) {
    happened.realms++
    const [name, shards] = [`realm-${realms}`, random.pick([1, 2])]
    const to = cellId('realm', byParty.key.publicKey, realmSalt(name))
    const value = random.percent(90) ? 3n * BOND : BOND / 2n
    atRoot(byParty, { to, call: 'realm.create', args: { name, shards }, value })
  }
  return handed
}

/**
 * Has the operator switch a module, or somebody else try, and has it called all the time until that is over: by
 * transactions that come in before and after, and by some that came in before and have their turn after.
 */
async function switchSome(world: World): Promise<number> {
  const { net, random, client, parties, happened, signers, size } = world
  happened.switches++
  const at = net.chain.rootHeight() + random.between(4, size.switch)
  const args = { name: random.pick(NAMES), version: random.pick(VERSIONS), at }
  const signer = { key: random.percent(95) ? operator : random.pick(parties), realm: 0 }
  const action = { to: operator.publicKey, realm: ROOT_REALM, call: 'module.activate', args }
  const used = usedAt(world, net.chain.rootHeight())
  const same = used.filter(({ name }) => name === args.name)
  const call = (lane: number, signer = random.pick(signers)): Handed =>
    client.sign(signer, lane, drawActions(world, same.length > 0 ? same : used, signer.key))
  const early = random.pick(signers)
  const [first, ...behind] = Array.from({ length: 3 }, () => call(LANE_OF_LATE, early))
  await client.submit([client.sign(signer, SPLIT_LANE, [action]), ...behind])
  let count = 3
  for (; net.chain.rootHeight() <= at; count++) {
    await client.submit([call(0)])
    await sleep(SWITCH_STEP_MS)
  }
  if (first !== undefined) await client.submit([first])
  return count
}

/** Some move coins to a realm that was made. Others may be paid there, and have cells. */
async function settleIn({ client, signers, parties: all }: World, realm: number): Promise<void> {
  const parties = all.slice(0, PARTIES / 2)
  const value = BALANCE / 10n
  await client.submit(parties.map((key) => client.sign({ key, realm: 0 }, 0, [{ to: key.publicKey, realm, value }])))
  await client.finish()
  signers.push(...parties.map((key) => ({ key, realm })))
}

const AGREE_WITHIN_MS = 120_000

/** The model follows until nothing is on its way any more; then both say the same. */
async function agree({ net, client, paper }: World): Promise<void> {
  const deadline = Date.now() + AGREE_WITHIN_MS
  for (;;) {
    for await (const root of storedRoots(net.sql, paper.height)) paper.follow(root)
    const isKnown = client.included.every((id) => paper.isFinal(id))
    if (isKnown && paper.isQuiet && paper.height >= 0) break
    assert.ok(Date.now() < deadline, 'the model waits for what the ledger says is done')
    await sleep(5)
  }
  paper.checkSupply()
  const ids = client.included.splice(0)
  const states = await net.chain.states(ids)
  for (const [i, id] of ids.entries()) assert.equal(states[i]?.status, paper.statusOf(id), `status of ${toHex(id)}`)
  await agreeOnCells(net, [...paper.cells.all()])
}

/** What the ledger answers to whoever asks for cells. */
async function agreeOnCells(net: TestChain, cells: readonly PaperCell[]): Promise<void> {
  for (const realm of new Set(cells.map((cell) => cell.realm))) {
    const here = cells.filter((cell) => cell.realm === realm)
    const found = await net.chain.cells(
      realm,
      here.map(({ id }) => id),
    )
    for (const [i, cell] of here.entries()) {
      const { owner, balance, deposit, value } = found[i] ?? {}
      const expected = { owner: cell.owner, balance: cell.balance, deposit: DEPOSIT_PER_BYTE * BigInt(bytesHeld(cell)) }
      assert.deepEqual({ owner, balance, deposit }, expected, `cell ${toHex(cell.id)}`)
      if (cell.owner !== 'account')
        assert.ok(equal(encode(value as never), encode(cell.value)), `value of cell ${toHex(cell.id)}`)
    }
  }
}
