import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { treasuryId } from '../../../plugins/execution/genesis.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { realmSalt } from '../../../plugins/execution/modules/realm.ts'
import { verifyDatabase } from '../../../plugins/execution/replay/index.ts'
import { createTestChain, SPLIT_LANE, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import { type Action, cellId, encode, equal, ROOT_REALM, toHex } from '../../../protocol/index.ts'
import { memoryLog } from '../ledger/memory-log.ts'
import { bytesHeld, type PaperCell } from '../paper/paper-cells.ts'
import { PaperLedger } from '../paper/paper-ledger.ts'
import { storedRoots } from '../paper/stored.ts'
import type { Random } from '../random.ts'
import type { Figures, Scenario } from '../scenario.ts'
import { Client, type Handed, type Signer } from './client.ts'
import { drawActions, drawFlood, type Material, usedAt } from './draw-actions.ts'
import { drawModules, LATE, NAMES, saltedCalls, VERSIONS } from './draw-modules.ts'
import { randomModules } from './random-modules.ts'

const PARTIES = 12
const BALANCE = 10n ** 12n
const BOND = 1_000_000n
const DEPOSIT_PER_BYTE = 10n
const MOST_IN_ROUND = 60
/** Each shard has a thread of its own. */
const MOST_SHARDS = 8
/** Transactions of one network; then another one begins, with other modules. */
const OF_ONE_NETWORK = 1_500
/** Of a hundred rounds, in so many this happens. */
const OFTEN = { flood: 20, split: 25, realm: 30, switch: 60, restart: 12, crash: 12 }
const operator = testKey('operator')

/** Modules that nobody wrote: each network has others. */
export const programs: Scenario = {
  name: 'execution/programs',
  claim:
    'whatever modules are programmed to do, over splits, new realms, switched versions and restarts, cells, outcomes, events and supply are those of a sequential model',
  unit: 'transactions',
  counts: { full: 20_000, reduced: 250 },
  async run({ count, random, progress }) {
    const figures: Record<string, number> = { networks: 0 }
    for (let done = 0; done < count; ) {
      const size = Math.min(OF_ONE_NETWORK, count - done)
      const found = await compare(size, random.fork(), (text) => progress(`${done} of ${count}, ${text}`))
      for (const [name, times] of Object.entries(found)) figures[name] = (figures[name] ?? 0) + times
      figures.networks = (figures.networks ?? 0) + 1
      done += size
    }
    return figures satisfies Figures
  },
}

interface World extends Material {
  readonly net: TestChain
  readonly client: Client
  readonly paper: PaperLedger
  /** Accounts that have coins, in whatever realm. */
  readonly signers: Signer[]
  readonly happened: Record<'restarts' | 'crashes' | 'splits' | 'realms' | 'switches', number>
}

async function compare(
  count: number,
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
    shards: random.pick([1, 2, 4]),
    accounts: parties.map((key) => ({ key, balance: BALANCE })),
    modules: [account, ...first],
    offered: modules.filter((module) => !first.includes(module)),
    plan: { realmBond: BOND, depositPerByte: DEPOSIT_PER_BYTE },
    log,
  })
  try {
    const paper = new PaperLedger({
      genesis: net.network.genesis,
      depositPerByte: DEPOSIT_PER_BYTE,
      treasury: { realm: 0, id: treasuryId(operator.publicKey) },
      supply: net.network.supply,
      operator: operator.publicKey,
      realmBond: BOND,
      maxShards: net.network.rules.maxShards,
      ...{ plans, salted },
    })
    const signers = parties.map((key) => ({ key, realm: 0 }))
    const happened = { restarts: 0, crashes: 0, splits: 0, realms: 0, switches: 0 }
    const client = new Client(net)
    const world = { random, plans, salted, parties, history: paper.history, net, client, paper, signers, happened }
    await agree(world)
    for (let done = 0; done < count; ) {
      done += await round(world, Math.min(random.between(1, MOST_IN_ROUND), count - done))
      await agree(world)
      progress(`modules ${seed}: ${done} of ${count}`)
    }
    assert.equal((await net.settled()).total, net.network.supply, 'the supply')
    assert.deepEqual(entries, [], 'the ledger complained')
    await verifyDatabase({ sql: net.sql, offered: [...new Set([...net.modules, ...modules])] })
    return { ...paper.counts, ...happened, evicted: client.evicted }
  } finally {
    await net.close()
  }
}

/** Random transactions, and what happens to the ledger meanwhile. Gives how many there were. */
async function round(world: World, size: number): Promise<number> {
  const { net, random, client, signers, parties, happened } = world
  const used = usedAt(world, net.chain.rootHeight())
  const flooded = random.percent(OFTEN.flood) ? random.pick(parties).publicKey : undefined
  const handed: Handed[] = []
  while (handed.length < size) {
    const signer = random.pick(signers)
    const actions =
      flooded === undefined || random.percent(30)
        ? drawActions(world, used, signer.key)
        : drawFlood(world, used, flooded)
    handed.push(client.sign(signer, random.pick([0, 0, 0, 1, 2, 16, 200]), actions))
  }
  const before = world.history.pages.realms.size
  const special = drawSpecial(world)
  for (const one of special) handed.splice(random.below(handed.length), 0, one)
  const isCrashing = random.percent(OFTEN.crash)
  const isRestarting = !isCrashing && random.percent(OFTEN.restart)
  await client.submit(handed, isRestarting ? 'INCLUDED' : 'NONE')
  if (isRestarting) await net.restart()
  if (isCrashing) await net.crash()
  happened.restarts += isRestarting ? 1 : 0
  happened.crashes += isCrashing ? 1 : 0
  await client.finish()
  await agree(world)
  const { size: after } = world.history.pages.realms
  for (let realm = before; realm < after; realm++) await settleIn(world, realm)
  return handed.length
}

/** What the operator and founders of realms do, some of which they may not. */
function drawSpecial(world: World): Handed[] {
  const { net, random, client, parties, happened } = world
  const handed: Handed[] = []
  const atRoot = (signer: Signer, action: Omit<Action, 'realm'>): void => {
    handed.push(client.sign(signer, SPLIT_LANE, [{ ...action, realm: ROOT_REALM }]))
  }
  const byOperator = { key: operator, realm: 0 }
  const party = { key: random.pick(parties), realm: 0 }
  const running = net.chain.shards().filter(({ id, status }) => id !== 'root' && status === 'RUNNING')
  if (random.percent(OFTEN.split) && running.length < MOST_SHARDS) {
    happened.splits++
    const args = { shard: random.pick(running).id }
    atRoot(random.percent(85) ? byOperator : party, { to: operator.publicKey, call: 'shard.split', args, value: 0n })
  }
  const realms = world.history.pages.realms.size
  if (random.percent(OFTEN.realm) && realms < 3 && running.length < MOST_SHARDS - 1) {
    happened.realms++
    const [name, shards] = [`realm-${realms}`, random.pick([1, 2])]
    const to = cellId('realm', party.key.publicKey, realmSalt(name))
    const value = random.percent(80) ? 3n * BOND : BOND / 2n
    atRoot(party, { to, call: 'realm.create', args: { name, shards }, value })
  }
  if (random.percent(OFTEN.switch)) {
    happened.switches++
    const at = net.chain.rootHeight() + random.between(4, 20)
    const args = { name: random.pick(NAMES), version: random.pick(VERSIONS), at }
    atRoot(random.percent(95) ? byOperator : party, {
      to: operator.publicKey,
      call: 'module.activate',
      args,
      value: 0n,
    })
  }
  return handed
}

/** Everybody moves some coins to a realm that was made. */
async function settleIn({ client, signers, parties }: World, realm: number): Promise<void> {
  const value = BALANCE / 10n
  await client.submit(parties.map((key) => client.sign({ key, realm: 0 }, 0, [{ to: key.publicKey, realm, value }])))
  await client.finish()
  signers.push(...parties.map((key) => ({ key, realm })))
}

const AGREE_WITHIN_MS = 60_000

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
