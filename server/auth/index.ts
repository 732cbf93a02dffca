/** Who somebody is, and what they may do. */
export { type IdentityConfig, identityConfig } from './config.ts'
export { identitySchema } from './graphql/index.ts'
export { Identity, type IdentityOptions } from './identity.ts'
export { type KeystoreConfig, masterKeysOf } from './keystore-config.ts'
export { givenMasterKeys, type MasterKeySource, masterKeyFile } from './master-keys.ts'
