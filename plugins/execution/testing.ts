/** A ledger on a database of its own, for tests and benchmarks. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Action,
  cellPath,
  encodeTransaction,
  encodeUnsigned,
  ROOT_REALM,
  signingBytes,
} from '../../protocol/index.ts'
import { keyFromSeed, type SigningKey, sign } from '../../server/crypto/ed25519.ts'
import { CORE_MIGRATIONS, migrate } from '../../server/db/migrate.ts'
import { silentLog } from '../../server/log.ts'
import type { Log, Sql } from '../../server/plugin.ts'
import { createTestDatabase } from '../../server/testing/index.ts'
import { Chain } from './chain.ts'
import type { ChainParts } from './chain-parts.ts'
import type { ShardHostConfig } from './config.ts'
import type { Fence } from './fence.ts'
import { type GenesisPlan, type Network, planGenesis } from './genesis.ts'
import { foundNetwork } from './genesis-store.ts'
import { openHosting } from './hosting/shard-hosting.ts'
import type { LedgerModule } from './ledger/module.ts'
import { account } from './modules/account.ts'
import { faucet } from './modules/faucet.ts'
import { SYSTEM_MODULES } from './modules/system.ts'
import { RevealChain } from './root/reveal-chain.ts'
import { accountState, nextNonce } from './state/account.ts'

/** A key with a name, so that tests read like stories. */
export const testKey = (name: string): SigningKey => {
  const seed = new Uint8Array(32)
  seed.set(new TextEncoder().encode(name).slice(0, 32))
  return keyFromSeed(seed)
}

/** A key whose account lives below this bit of realm 0: `0:0` or `0:1`. */
export function testKeyIn(bit: 0 | 1, name: string): SigningKey {
  for (let i = 0; ; i++) {
    const key = testKey(`${name}/${i}`)
    if (cellPath(key.publicKey)[0]! >> 7 === bit) return key
  }
}

export interface TestChainOptions {
  readonly shards?: number
  readonly accounts?: readonly { readonly key: SigningKey; readonly balance: bigint }[]
  /** What the network begins with. */
  readonly modules?: readonly LedgerModule[]
  /** What the node has besides. */
  readonly offered?: readonly LedgerModule[]
  readonly parts?: Partial<ChainParts>
  /** Brings the network of these options into the database; if absent, a new one is founded. */
  readonly found?: (sql: Sql) => Promise<Network>
  readonly plan?: Partial<GenesisPlan>
  /** Processes elsewhere that run shards. */
  readonly shardHosts?: readonly ShardHostConfig[]
  readonly log?: Log
  /** It is part of the story that the ledger finds a fault: then `close` does not fail. */
  readonly hasFault?: boolean
}

export interface TransactionOptions {
  readonly key: SigningKey
  readonly nonce: number
  /** Of the sender's account; 0 if absent. */
  readonly realm?: number
  readonly actions: readonly Partial<Action>[]
  readonly lane?: number
  readonly maxFee?: bigint
  readonly validUntil?: number
}

/** A running ledger that a test can stop and start again. */
export interface TestChain {
  /** As it runs now. */
  readonly chain: Chain
  readonly network: Network
  /** All ledger modules that it runs with. */
  readonly modules: readonly LedgerModule[]
  readonly sql: Sql
  /** Signs a transaction; actions default to credits. */
  sign(options: TransactionOptions): Uint8Array
  transfer(from: SigningKey, to: SigningKey, value: bigint, nonce: number): Uint8Array
  balance(key: SigningKey): Promise<bigint>
  /** Waits until the check of the root chain covers everything, and gives its result. */
  settled(): Promise<ReturnType<Chain['supplyCheck']>>
  /** Has the operator split a shard; resolves when its children run. */
  split(shard: string): Promise<void>
  restart(): Promise<void>
  /** Ends it as a crash would, calls `meanwhile` and starts it again. */
  crash(meanwhile?: () => Promise<unknown>): Promise<void>
  /**
   * Stops it for good and drops its database. @throws AggregateError if the ledger found a fault in its life, like a
   * root block at which the supply was not conserved
   */
  close(): Promise<void>
}

const LEASE = 'execution/chain'
/** The lane in which the operator splits shards. */
export const SPLIT_LANE = 9
const TEST_NODE = '00000000-0000-4000-8000-000000000000'

/** Makes the caller the leader of the ledger in this database; whoever was it before writes nothing more. */
export async function takeOffice(sql: Sql, node = TEST_NODE): Promise<Fence> {
  const [row] = await sql<{ fence: bigint }[]>`select core.acquire_lease(${LEASE}, ${node}, '1 hour') as fence`
  return { lease: LEASE, fence: row?.fence ?? 0n }
}

/** Founds a network in a fresh database and starts it. */
export async function createTestChain(options: TestChainOptions = {}): Promise<TestChain> {
  const opened = await createTestDatabase()
  const database = await opened.open()
  const sql = database.sql('execution')
  await migrate(database.sql('core'), 'core', CORE_MIGRATIONS)
  await migrate(database.sql('core'), 'execution', new URL('./migrations/', import.meta.url))
  const operator = { key: testKey('operator'), seed: new Uint8Array(32).fill(7) }
  const modules = [...new Set([...(options.modules ?? [account, faucet]), ...SYSTEM_MODULES])]
  const plan: GenesisPlan = {
    name: 'test',
    kind: 'development',
    shards: options.shards ?? 2,
    basePrice: 1n,
    depositPerByte: 10n,
    drip: 1000n,
    accounts: (options.accounts ?? []).map(({ key, balance }) => ({ address: key.publicKey, balance })),
    ...options.plan,
  }
  const anchor = new RevealChain(operator.seed).genesisAnchor
  const parts = { operator: operator.key.publicKey, anchor, modules, time: Date.now() }
  const network =
    (await options.found?.(sql)) ?? (await foundNetwork(sql, planGenesis(plan, parts), operator, options.shardHosts))
  const hosting = options.shardHosts && (await openHosting(sql, options.shardHosts))
  const faults: Error[] = []
  const ended = ({ fault }: Chain): void => {
    if (fault !== undefined) faults.push(fault)
  }
  const start = async (): Promise<Chain> => {
    const started = await Chain.open({
      network,
      operator,
      sql,
      database: database.options('execution'),
      modules: [...modules, ...(options.offered ?? [])],
      verifierThreads: 1,
      rootIntervalMs: 20,
      log: options.log ?? silentLog,
      onEvents: () => undefined,
      fence: await takeOffice(sql),
      onFenced: () => undefined,
      hosting,
      ...options.parts,
    })
    await started.start()
    return started
  }
  let chain = await start()
  const build = ({ key, nonce, actions, ...rest }: TransactionOptions): Uint8Array => {
    const unsigned = encodeUnsigned({
      network: network.id,
      realm: rest.realm ?? 0,
      sender: key.publicKey,
      key: key.publicKey,
      lane: rest.lane ?? 0,
      nonce,
      validUntil: rest.validUntil ?? chain.rootHeight() + 100_000,
      maxFee: rest.maxFee ?? 10_000n,
      actions: actions.map((action) => ({
        to: key.publicKey,
        realm: 0,
        call: 'account.credit',
        args: {},
        value: 0n,
        ...action,
      })),
    })
    return encodeTransaction(unsigned, sign(signingBytes(unsigned), key))
  }
  return {
    get chain() {
      return chain
    },
    network,
    modules,
    sql,
    sign: build,
    transfer: (from, to, value, nonce) => build({ key: from, nonce, actions: [{ to: to.publicKey, value }] }),
    async balance(key) {
      const [cell] = await chain.cells(0, [key.publicKey])
      return cell?.balance ?? 0n
    },
    async settled() {
      // Two root blocks without work: the first may still have been under way.
      const from = chain.rootHeight()
      for (;;) {
        const check = chain.supplyCheck()
        if (check.inFlight === 0n && check.rootHeight > from + 1) return check
        await sleep(10)
      }
    },
    async split(shard) {
      const isRunning = (id: string): boolean =>
        chain.shards().some((state) => state.id === id && state.status === 'RUNNING')
      const [cell] = await chain.cells(0, [operator.key.publicKey])
      const nonce = cell === null || cell === undefined ? 0 : nextNonce(accountState(cell.value as never), SPLIT_LANE)
      const action = { to: operator.key.publicKey, realm: ROOT_REALM, call: 'shard.split', args: { shard } }
      const [outcome] = await chain.submit([build({ key: operator.key, lane: SPLIT_LANE, nonce, actions: [action] })], {
        wait: 'EXECUTED',
      })
      if (outcome?.kind !== 'accepted' || outcome.status !== 'EXECUTED') {
        throw new TypeError(`shard ${shard} was not split: ${JSON.stringify(outcome)}`)
      }
      while (![`${shard}0`, `${shard}1`].every(isRunning)) await sleep(5)
    },
    async restart() {
      await chain.stop()
      ended(chain)
      chain = await start()
    },
    async crash(meanwhile) {
      await chain.abandon()
      ended(chain)
      await meanwhile?.()
      chain = await start()
    },
    async close() {
      await chain.stop()
      ended(chain)
      await hosting?.databases.close()
      await database.close()
      await opened.drop()
      if (faults.length === 0 || options.hasFault === true) return
      throw new AggregateError(faults, `the ledger found faults: ${faults.map(({ message }) => message).join('; ')}`)
    },
  }
}
