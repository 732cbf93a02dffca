import { join } from 'node:path'
import type { IdentityConfig } from './config.ts'
import { givenMasterKeys, type MasterKeySource, masterKeyFile } from './master-keys.ts'

/** The part of the node's config that says where its master keys are. */
export interface KeystoreConfig {
  readonly dataDir: string
  readonly identity: IdentityConfig
  readonly keystoreKey: string | undefined
}

/** Where a node's master keys are: the environment, or a file. @throws KeystoreError for keys that are none */
export const masterKeysOf = ({ dataDir, identity, keystoreKey }: KeystoreConfig): MasterKeySource =>
  keystoreKey === undefined
    ? masterKeyFile(identity.keystoreKeyFile ?? join(dataDir, 'keystore.key'))
    : givenMasterKeys(keystoreKey, 'DEAIOS_KEYSTORE_KEY')
