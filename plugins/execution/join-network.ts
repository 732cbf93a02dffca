import { join } from 'node:path'
import { equal } from '../../protocol/index.ts'
import type { Host, Log } from '../../server/plugin.ts'
import { LedgerModules } from './api.ts'
import type { ExecutionConfig } from './config.ts'
import { type Network, planGenesis } from './genesis.ts'
import { foundNetwork, storedNetwork } from './genesis-store.ts'
import { type OperatorKey, operatorKey, readOperatorKey } from './keys.ts'
import type { LedgerModule } from './ledger/module.ts'
import { modulesOf } from './ledger/modules-of.ts'
import { CallRegistry } from './ledger/registry.ts'
import { RevealChain } from './root/reveal-chain.ts'

/** A node's part in the network of its database. */
export interface Membership {
  readonly network: Network
  readonly keyFile: string
  /** The network's operator; undefined if this node has not that key. It serves then, and makes no blocks. */
  readonly operator: OperatorKey | undefined
  readonly modules: readonly LedgerModule[]
}

/**
 * Joins the network in the database, or founds it if there is none: then the key is made, too.
 * @throws KeyFileError, ModuleSetError
 */
export async function joinNetwork(host: Host<ExecutionConfig, Record<never, never>>): Promise<Membership> {
  const offered = host.contributions(LedgerModules)
  // Wrong modules are told before anything is written.
  new CallRegistry(offered)
  const keyFile = host.config.operatorKeyFile ?? join(host.dataDir, 'operator.key')
  const network = (await storedNetwork(host.sql)) ?? (await found(host, offered, await operatorKey(keyFile)))
  for (const { name } of offered) {
    if (network.genesis.modules.some((module) => module.name === name)) continue
    host.log.warn({ module: name }, 'the network was founded without this ledger module: its calls are unknown to it')
  }
  return {
    network,
    keyFile,
    operator: operatorOf(network, await readOperatorKey(keyFile), keyFile, host.log),
    modules: modulesOf(network, offered),
  }
}

function found(
  host: Host<ExecutionConfig, Record<never, never>>,
  modules: readonly LedgerModule[],
  operator: OperatorKey,
): Promise<Network> {
  const { genesis } = host.config
  const anchor = new RevealChain(operator.seed).genesisAnchor
  const { faucetDrip: drip, ...plan } = genesis
  const parts = { operator: operator.key.publicKey, anchor, modules, time: host.clock.now() }
  return foundNetwork(host.sql, planGenesis({ ...plan, drip }, parts), operator)
}

function operatorOf(
  network: Network,
  key: OperatorKey | undefined,
  keyFile: string,
  log: Log,
): OperatorKey | undefined {
  if (key !== undefined && network.genesis.validators.some((validator) => equal(validator, key.key.publicKey)))
    return key
  const what = key === undefined ? 'is not there' : `is not the key of the network "${network.genesis.name}"`
  log.warn(
    { keyFile },
    `${keyFile} ${what}: this node serves, and makes no blocks; put the network's operator.key there`,
  )
  return undefined
}
