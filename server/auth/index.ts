/** Who somebody is, and what they may do. */

export { createAccount } from './accounts.ts'
export { AuditLog } from './audit.ts'
export { type IdentityConfig, identityConfig } from './config.ts'
export { IdentityError, KeystoreError } from './errors.ts'
export { identitySchema } from './graphql/index.ts'
export { Identity, type IdentityOptions } from './identity.ts'
export { CONSOLE, createKey, type KeyOptions, type KeyRecord, listKeys, revokeKey } from './keys.ts'
export { type KeystoreConfig, masterKeysOf } from './keystore-config.ts'
export { givenMasterKeys, type MasterKeySource, masterKeyFile } from './master-keys.ts'
export { rotateMasterKey } from './rotate.ts'
export { Vault } from './vault.ts'
