import { availableParallelism } from 'node:os'
import { toHex } from '../../protocol/index.ts'
import { continuous, definePlugin, type Host, pause } from '../../server/plugin.ts'
import { BlockCommitted, Credited, Ledger, LedgerModules } from './api.ts'
import { type ExecutionConfig, executionConfig } from './config.ts'
import { heightGateOf } from './graphql/height-gate.ts'
import { executionGraphql } from './graphql/index.ts'
import { openHosting } from './hosting/shard-hosting.ts'
import { joinNetwork } from './join-network.ts'
import { CHAIN_JOB } from './leading/calls.ts'
import { LedgerHandle, LedgerNotStartedError } from './ledger-handle.ts'
import { faultCounter, meterLedger, transactionCounter } from './ledger-metrics.ts'
import { account } from './modules/account.ts'
import { asset } from './modules/asset.ts'
import { AssetReceived, AssetReturned, AssetSupplyChanged } from './modules/asset-cells.ts'
import { faucet } from './modules/faucet.ts'
import { ModuleScheduled, ModuleWithdrawn, RealmCreated, SplitScheduled } from './modules/root-topics.ts'
import { SYSTEM_MODULES } from './modules/system.ts'
import { oneDatabase } from './query/shard-databases.ts'

const MAX_DEFAULT_VERIFIERS = 4
/** A start that takes longer has no leader to follow. */
const READY_WITHIN_MS = 40_000

/** Layer 1: signed transactions over shards. */
export default definePlugin({
  name: 'execution',
  onUncaught: 'end',
  version: '1.0.0',
  api: '^1.0.0',
  config: executionConfig,
  migrations: new URL('./migrations/', import.meta.url),
  topics: [
    BlockCommitted,
    Credited,
    AssetReceived,
    AssetReturned,
    AssetSupplyChanged,
    RealmCreated,
    SplitScheduled,
    ModuleScheduled,
    ModuleWithdrawn,
  ],
  contributes: [
    [LedgerModules, account],
    [LedgerModules, faucet],
    [LedgerModules, asset],
    ...SYSTEM_MODULES.map((module) => [LedgerModules, module] as const),
  ],
  provides: () => [[Ledger, new LedgerHandle()]],
  graphql: executionGraphql,
  beforeRequest: (context, host) => heightGateOf(host).pass(context),
  jobs: [
    continuous<ExecutionHost>({
      name: CHAIN_JOB,
      scope: 'leader',
      eligible: (host) => handleOf(host).mayLead,
      run: (run, host) => handleOf(host).lead(run),
    }),
    continuous<ExecutionHost>({
      name: 'mirror',
      scope: 'replica',
      run: (run, host) => handleOf(host).follow(run),
    }),
  ],
  async start(host) {
    const { network, operator, keyFile, modules } = await joinNetwork(host)
    const handle = handleOf(host)
    const { shardHosts } = host.config
    const hosting = await openHosting(host.sql, shardHosts)
    handle.prepare(
      host,
      network,
      operator && {
        network,
        operator,
        sql: host.sql,
        database: host.database,
        modules,
        verifierThreads: host.config.verifierThreads ?? Math.min(availableParallelism(), MAX_DEFAULT_VERIFIERS),
        rootIntervalMs: host.config.rootIntervalMs,
        tuning: { cacheCells: host.config.cacheCells, memoryMb: host.config.shardMemoryMb },
        log: host.log,
        hosting,
        onEvents: () => host.events.wake(),
        onFaults: faultCounter(host),
        onTransactions: transactionCounter(host),
      },
      hosting?.databases ?? oneDatabase(host.sql),
    )
    host.jobs.begin(CHAIN_JOB)
    host.jobs.begin('mirror')
    await readyInTime(handle)
    meterLedger(host, handle)
    host.nameNetwork(network.genesis.name, network.id)
    host.banner('network', `${network.genesis.name} ${toHex(network.id)}`)
    host.banner('shards', network.genesis.shards.join(' '))
    if (operator === undefined) return host.banner('operator', 'another node; this one serves, and makes no blocks')
    host.banner('operator', toHex(operator.key.publicKey))
    host.banner('operator key', keyFile)
  },
  health: (host) => handleOf(host).health(),
  drain: (host) => handleOf(host).drain(),
  stop: (host) => handleOf(host).stop(),
})

type ExecutionHost = Host<ExecutionConfig, Record<never, never>>

function handleOf(host: ExecutionHost): LedgerHandle {
  const ledger = host.own(Ledger)
  if (ledger instanceof LedgerHandle) return ledger
  throw new TypeError('the execution plugin provides its own ledger')
}

/** @throws LedgerNotStartedError if nobody comes to lead; whatever keeps this node from leading */
async function readyInTime(handle: LedgerHandle): Promise<void> {
  const inTime = new AbortController()
  const late = pause(READY_WITHIN_MS, inTime.signal).then(() => {
    if (inTime.signal.aborted) return
    throw new LedgerNotStartedError(
      handle.mayLead
        ? `the node that makes the blocks did not answer within ${READY_WITHIN_MS / 1000} s: see whether this one can reach its peers.url`
        : 'no node makes blocks, and this one cannot without the operator.key of the network: start one that has it',
    )
  })
  try {
    await Promise.race([handle.ready(), late])
  } finally {
    inTime.abort()
  }
}
