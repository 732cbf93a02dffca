import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { equal, toHex } from '../../protocol/index.ts'
import { definePlugin, type Host, type Log } from '../../server/plugin.ts'
import { BlockCommitted, Credited, Ledger, LedgerModules } from './api.ts'
import { Chain } from './chain.ts'
import { type ExecutionConfig, executionConfig } from './config.ts'
import { type Network, planGenesis } from './genesis.ts'
import { foundNetwork, storedNetwork } from './genesis-store.ts'
import { heightGateOf } from './graphql/height-gate.ts'
import { executionGraphql } from './graphql/index.ts'
import { KeyFileError, type OperatorKey, operatorKey } from './keys.ts'
import type { LedgerModule } from './ledger/module.ts'
import { CallRegistry, ModuleSetError } from './ledger/registry.ts'
import { LedgerHandle } from './ledger-handle.ts'
import { account } from './modules/account.ts'
import { asset } from './modules/asset.ts'
import { AssetReceived, AssetReturned, AssetSupplyChanged } from './modules/asset-cells.ts'
import { faucet } from './modules/faucet.ts'
import { RevealChain } from './root/reveal-chain.ts'

const MAX_DEFAULT_VERIFIERS = 4

/** Layer 1: signed transactions over shards. */
export default definePlugin({
  name: 'execution',
  version: '1.0.0',
  api: '^1.0.0',
  config: executionConfig,
  migrations: new URL('./migrations/', import.meta.url),
  topics: [BlockCommitted, Credited, AssetReceived, AssetReturned, AssetSupplyChanged],
  contributes: [
    [LedgerModules, account],
    [LedgerModules, faucet],
    [LedgerModules, asset],
  ],
  provides: () => [[Ledger, new LedgerHandle()]],
  graphql: executionGraphql,
  beforeRequest: (context, host) => heightGateOf(host).pass(context),
  async start(host) {
    const offered = host.contributions(LedgerModules)
    // Wrong modules are told before anything is written.
    new CallRegistry(offered)
    const keyFile = join(host.dataDir, 'operator.key')
    const operator = await operatorKey(keyFile)
    const network = (await storedNetwork(host.sql)) ?? (await found(host, offered, operator))
    checkOperator(network, operator, keyFile)
    const modules = activeModules(network, offered, host.log)
    const chain = await Chain.open({
      network,
      operator,
      sql: host.sql,
      database: host.database,
      modules: modules.map(({ name, url }) => ({ name, url })),
      verifierThreads: host.config.verifierThreads ?? Math.min(availableParallelism(), MAX_DEFAULT_VERIFIERS),
      rootIntervalMs: host.config.rootIntervalMs,
      tuning: { cacheCells: host.config.cacheCells },
      log: host.log,
      onEvents: () => host.events.wake(),
    })
    await chain.start()
    handleOf(host).connect(chain)
    host.nameNetwork(network.genesis.name, network.id)
    host.banner('network', `${network.genesis.name} ${toHex(network.id)}`)
    host.banner('shards', network.genesis.shards.join(' '))
    host.banner('operator', toHex(operator.key.publicKey))
    host.banner('operator key', keyFile)
  },
  health: (host) => {
    const handle = handleOf(host)
    return handle.isConnected ? handle.chain.health() : { ok: false, message: 'the ledger is starting' }
  },
  drain(host) {
    const handle = handleOf(host)
    if (handle.isConnected) handle.chain.drain()
  },
  async stop(host) {
    const handle = handleOf(host)
    if (handle.isConnected) await handle.chain.stop()
  },
})

type ExecutionHost = Host<ExecutionConfig, Record<never, never>>

function handleOf(host: ExecutionHost): LedgerHandle {
  const ledger = host.own(Ledger)
  if (ledger instanceof LedgerHandle) return ledger
  throw new TypeError('the execution plugin provides its own ledger')
}

function found(host: ExecutionHost, modules: readonly LedgerModule[], operator: OperatorKey): Promise<Network> {
  const { genesis } = host.config
  const anchor = new RevealChain(operator.seed).genesisAnchor
  const { faucetDrip: drip, ...plan } = genesis
  const parts = { operator: operator.key.publicKey, anchor, modules, time: host.clock.now() }
  return foundNetwork(host.sql, planGenesis({ ...plan, drip }, parts), operator)
}

function checkOperator(network: Network, operator: OperatorKey, keyFile: string): void {
  if (network.genesis.validators.some((validator) => equal(validator, operator.key.publicKey))) return
  throw new KeyFileError(
    `${keyFile} is not the key of this database's network "${network.genesis.name}": ` +
      'put its operator.key there, or use another database',
  )
}

/** The modules that the network uses. A node that lacks one could not execute its blocks. */
function activeModules(network: Network, offered: readonly LedgerModule[], log: Log): LedgerModule[] {
  for (const { name } of offered) {
    if (network.genesis.modules.some((module) => module.name === name)) continue
    log.warn({ module: name }, 'the network was founded without this ledger module: its calls are unknown to it')
  }
  return network.genesis.modules.map(({ name, version }) => {
    const own = offered.find((module) => module.name === name)
    if (own === undefined) {
      throw new ModuleSetError(`the network uses the ledger module "${name}": add its plugin to deaios.config.ts`)
    }
    if (own.version === version) return own
    throw new ModuleSetError(
      `the network uses version ${version} of the module "${name}", this node has ${own.version}`,
    )
  })
}
