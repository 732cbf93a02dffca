/** Who somebody is, and what they may do. */

export { createAccount } from './accounts.ts'
export { AuditLog } from './audit.ts'
export type { IdentityConfig } from './config.ts'
export { identitySchema } from './graphql/index.ts'
export { Identity } from './identity.ts'
export { CONSOLE, createKey, type KeyOptions, type KeyRecord, listKeys, revokeKey } from './keys.ts'
export { masterKeysOf } from './keystore-config.ts'
export { type MasterKeySource, masterKeyFile } from './master-keys.ts'
export { rotateMasterKey } from './rotate.ts'
export { Vault } from './vault.ts'
