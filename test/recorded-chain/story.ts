import { strict as assert } from 'node:assert'
import type { TransactionStatus } from '../../plugins/execution/api.ts'
import { counter2 } from '../../plugins/execution/fixtures/counter-2.ts'
import { sly, TRICKS } from '../../plugins/execution/fixtures/sly.ts'
import { faucetId } from '../../plugins/execution/genesis.ts'
import { assetId } from '../../plugins/execution/modules/asset-cells.ts'
import { realmSalt } from '../../plugins/execution/modules/realm.ts'
import { createTestChain, type TestChain, testKey, testKeyIn } from '../../plugins/execution/testing.ts'
import { type Action, cellId, ROOT_REALM } from '../../protocol/index.ts'
import type { SigningKey } from '../../server/crypto/ed25519.ts'
import { until } from '../../server/testing/index.ts'
import { LedgerModel, newParty } from '../scenarios/model/ledger-model.ts'
import { FLOOD, OPERATIONS, type World } from '../scenarios/model/operations.ts'
import { act, type Submitted } from '../scenarios/model/round.ts'
import { Random } from '../scenarios/random.ts'
import { laterModules, storyModules } from './story-modules.ts'

const ROUNDS = 5
const IN_ROUND = 30
const PARTIES = 8
const BALANCE = 10n ** 12n
/** Root blocks from the call that switches a module to the switch. */
const SWITCH_AFTER = 15
const SWITCH_LANE = 8
const NOBODY = new Uint8Array(0)
/** Shards that are split, by the round in which they are. */
const SPLITS: Readonly<Record<number, string>> = { 1: '0:0', 3: '0:01' }

/** A ledger in which everything has happened that can: to be closed by the caller. */
export async function tellStory(seed: number): Promise<TestChain> {
  const parties = Array.from({ length: PARTIES }, (_, i) => newParty(testKey(`teller ${i}`)))
  const alice = testKeyIn(0, 'alice')
  const bob = testKeyIn(1, 'bob')
  const keys = [...parties.map(({ key }) => key), alice, bob]
  const accounts = keys.map((key) => ({ key, balance: BALANCE }))
  const plan = { drip: 12_345n, realmBond: 1_000_000n }
  const net = await createTestChain({ accounts, modules: storyModules, offered: laterModules, plan })
  try {
    await mixed(net, new Random(seed), parties)
    await oneOfEach(net, alice, bob)
    await switched(net, [...parties.map(({ key }) => key), alice])
    await ownRealm(net, bob)
    await net.settled()
    return net
  } catch (error) {
    await net.close()
    throw error
  }
}

/** Random payments, calls and refusals, with floods that leave messages waiting, splits under load, and a restart. */
async function mixed(net: TestChain, random: Random, parties: World['parties']): Promise<void> {
  const operator = newParty(testKey('operator'))
  const { publicKey } = operator.key
  const world: World = {
    random,
    model: new LedgerModel(),
    parties,
    operator,
    faucet: faucetId(publicKey),
    drip: 12_345n,
  }
  for (const { key } of parties) world.model.set(key.publicKey, BALANCE)
  for (const cell of await net.chain.cells(0, [publicKey, world.faucet])) {
    if (cell !== null) world.model.set(cell.id, cell.balance + cell.deposit)
  }
  for (let round = 0; round < ROUNDS; round++) {
    const submitted: Submitted[] = []
    while (submitted.length < IN_ROUND) {
      const one = act(net, world, round % 3 === 1 ? [FLOOD] : OPERATIONS)
      if (one !== undefined) submitted.push(one)
    }
    const wait = round % 2 === 0 ? 'EXECUTED' : 'INCLUDED'
    const split = SPLITS[round]
    const [outcomes] = await Promise.all([
      net.chain.submit(
        submitted.map(({ wire }) => wire),
        { wait },
      ),
      split === undefined ? undefined : net.split(split),
    ])
    for (const outcome of outcomes) assert.equal(outcome.kind, 'accepted', JSON.stringify(outcome))
    if (round === 2) await net.restart()
    world.model.release()
    world.model.settle()
  }
}

/** Calls that break, bounce, create, delete and authorise; assets; and all that calls must not use. */
async function oneOfEach(net: TestChain, alice: SigningKey, bob: SigningKey): Promise<void> {
  const wires: Uint8Array[] = []
  const send = (...actions: Partial<Action>[]): void => {
    wires.push(net.sign({ key: alice, nonce: wires.length, actions, maxFee: 1_000_000n }))
  }
  const counted = cellId('counter', alice.publicKey, NOBODY)
  send({ to: bob.publicKey, value: 500n }, { to: testKey('nobody yet').publicKey, value: 5n })
  send({ to: counted, call: 'counter.add', args: { by: 60 }, value: 5000n })
  send({ to: counted, call: 'counter.add', args: { by: 60 }, value: 500n })
  send({ to: counted, call: 'counter.bounceOff', args: { to: bob.publicKey }, value: 40n })
  for (const how of ['refuse', 'throw', 'undeclared', 'overspend', 'giant', 'changeAndThrow'])
    send({ to: counted, call: 'counter.misbehave', args: { how }, value: 7n })
  send({ to: counted, call: 'counter.remove' })
  const tried = cellId('sly', alice.publicKey, NOBODY)
  for (const trick of Object.keys(TRICKS)) send({ to: tried, call: `${sly.name}.attempt`, args: { trick } })
  const points = assetId(alice.publicKey, 'POINTS')
  send({ to: points, call: 'asset.create', args: { symbol: 'POINTS', decimals: 0 }, value: 10_000n })
  send({ to: points, call: 'asset.issue', args: { to: bob.publicKey, amount: 9 }, value: 10_000n })
  const session = testKey('session')
  const targets = [{ realm: 0, id: bob.publicKey }]
  const bounds = { calls: ['account.credit'], targets, lane: 3, limit: 10_000, expires: 1_000_000 }
  send({ to: alice.publicKey, call: 'account.authorize', args: { key: session.publicKey, ...bounds } })
  send({ to: alice.publicKey, call: 'account.revoke', args: { key: session.publicKey } })
  for (const outcome of await net.chain.submit(wires, { wait: 'EXECUTED' }))
    assert.equal(outcome.kind, 'accepted', JSON.stringify(outcome))
}

/** The module `counter` changes its version while everybody counts; then what only the old one had is refused. */
async function switched(net: TestChain, counting: readonly SigningKey[]): Promise<void> {
  const operator = testKey('operator')
  const at = net.chain.rootHeight() + SWITCH_AFTER
  const args = { name: counter2.name, version: counter2.version, at }
  const activate = { to: operator.publicKey, realm: ROOT_REALM, call: 'module.activate', args }
  const wire = net.sign({ key: operator, nonce: 0, lane: SWITCH_LANE, actions: [activate], maxFee: 1_000_000n })
  assert.equal(await ended(net, wire), 'EXECUTED')
  const call = (key: SigningKey, nonce: number, name: string, args: Action['args']) => {
    const to = cellId(counter2.name, key.publicKey, NOBODY)
    const action = { to, call: `${counter2.name}.${name}`, args, value: 5_000n }
    return net.sign({ key, nonce, lane: SWITCH_LANE, actions: [action], maxFee: 1_000_000n })
  }
  let nonce = 0
  for (; net.chain.rootHeight() <= at + 2; nonce++) {
    const wires = counting.map((key) => call(key, nonce, 'add', { by: 1 }))
    const outcomes = await net.chain.submit(wires, { wait: 'INCLUDED' })
    for (const outcome of outcomes) assert.equal(outcome.kind, 'accepted', JSON.stringify(outcome))
  }
  const last = counting.flatMap((key) => [
    call(key, nonce, 'bounceOff', { to: key.publicKey }),
    call(key, nonce, 'reset', {}),
  ])
  const outcomes = await net.chain.submit(last, { wait: 'EXECUTED' })
  const kinds = outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.code : outcome.kind))
  assert.deepEqual(
    kinds,
    counting.flatMap(() => ['UNKNOWN_CALL', 'accepted']),
  )
}

/** Submits a transaction that must be taken, and gives its end, however long that takes: the answer may come before. */
async function ended(net: TestChain, wire: Uint8Array): Promise<TransactionStatus> {
  const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
  if (outcome?.kind !== 'accepted') throw new assert.AssertionError({ message: JSON.stringify(outcome) })
  let { status } = outcome
  await until(async () => {
    const [state] = await net.chain.states([outcome.id])
    status = state?.status ?? status
    return status !== 'PENDING' && status !== 'INCLUDED'
  }, 'a transaction has ended')
  return status
}

/** A realm is made, paid into, paid out of, and one of its shards is split. */
async function ownRealm(net: TestChain, bob: SigningKey): Promise<void> {
  let nonce = 0
  const send = async (realm: number, lane: number, ...actions: Partial<Action>[]): Promise<void> => {
    const wire = net.sign({ key: bob, realm, lane, nonce: nonce++, actions, maxFee: 1_000_000n })
    await ended(net, wire)
  }
  const made = cellId('realm', bob.publicKey, realmSalt('game'))
  const bond = { call: 'realm.create', args: { name: 'game', shards: 2 }, value: 3_000_000n }
  await send(0, 0, { to: made, realm: ROOT_REALM, ...bond })
  await send(0, 0, { to: made, realm: ROOT_REALM, ...bond })
  await send(0, 0, { to: bob.publicKey, realm: 1, value: 1_000_000n })
  nonce = 0
  await send(
    1,
    0,
    { to: bob.publicKey, realm: 0, value: 10n },
    { to: testKey('player').publicKey, realm: 1, value: 5n },
  )
  await net.split('1:0')
  await send(1, 0, { to: testKey('player').publicKey, realm: 1, value: 5n })
}
