import { join } from 'node:path'
import { equal } from '../../protocol/index.ts'
import type { Host, Log } from '../../server/plugin.ts'
import { LedgerModules } from './api.ts'
import type { ExecutionConfig } from './config.ts'
import { type Network, planGenesis } from './genesis.ts'
import { foundNetwork, storedNetwork } from './genesis-store.ts'
import { type OperatorKey, operatorKey, readOperatorKey } from './keys.ts'
import type { LedgerModule } from './ledger/module.ts'
import { ModuleLibrary } from './ledger/module-library.ts'
import { mustHaveModules } from './ledger/module-schedule.ts'
import { ModuleSetError } from './ledger/registry.ts'
import { RevealChain } from './root/reveal-chain.ts'
import { RootView } from './root/root-view.ts'
import { storedExports } from './root/stored-exports.ts'

/** A node's part in the network of its database. */
export interface Membership {
  readonly network: Network
  readonly keyFile: string
  /** The network's operator; undefined if this node has not that key. It serves then, and makes no blocks. */
  readonly operator: OperatorKey | undefined
  /** All that this node has; the network says which of them are used. */
  readonly modules: readonly LedgerModule[]
}

/**
 * Joins the network in the database, or founds it if there is none: then the key is made, too.
 * @throws KeyFileError, ModuleSetError
 */
export async function joinNetwork(host: Host<ExecutionConfig, Record<never, never>>): Promise<Membership> {
  const offered = host.contributions(LedgerModules)
  const library = new ModuleLibrary(offered)
  const keyFile = host.config.operatorKeyFile ?? join(host.dataDir, 'operator.key')
  const network = (await storedNetwork(host.sql)) ?? (await found(host, library, keyFile))
  await compareModules(host, library)
  return {
    network,
    keyFile,
    operator: operatorOf(network, await readOperatorKey(keyFile), keyFile, host.log),
    modules: offered,
  }
}

/** @throws ModuleSetError if this node lacks what the network uses, or will use */
async function compareModules(
  host: Host<ExecutionConfig, Record<never, never>>,
  library: ModuleLibrary,
): Promise<void> {
  const [tip] = await host.sql<{ height: bigint }[]>`SELECT max(height) AS height FROM root_block`
  const height = Number(tip?.height ?? 0)
  const view = RootView.EMPTY.with(await storedExports(host.sql, height))
  if (view.modules.size === 0)
    throw new ModuleSetError(
      'the network in this database was founded by a release without modules on the ledger: begin with another folder (--data) or database',
    )
  mustHaveModules(library, view, height)
  for (const { name, version } of library.modules) {
    if (view.modules.get(name)?.some(([known]) => known === version)) continue
    host.log.info(
      { module: name, version },
      `the network does not use version ${version} of the ledger module "${name}": ` +
        `\`deaios module activate ${name} ${version}\` makes it`,
    )
  }
}

/** A new network has the newest version of each module. @throws ModuleSetError before anything is written */
async function found(
  host: Host<ExecutionConfig, Record<never, never>>,
  library: ModuleLibrary,
  keyFile: string,
): Promise<Network> {
  const { genesis } = host.config
  const { modules } = library.registryOf(library.newest())
  const operator = await operatorKey(keyFile)
  const anchor = new RevealChain(operator.seed).genesisAnchor
  const { faucetDrip: drip, ...plan } = genesis
  const parts = { operator: operator.key.publicKey, anchor, modules, time: host.clock.now() }
  return foundNetwork(host.sql, planGenesis({ ...plan, drip }, parts), operator, host.config.shardHosts)
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
