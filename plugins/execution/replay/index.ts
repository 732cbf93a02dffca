/** A chain, executed again. */
export { configuredHosts } from '../hosting/shard-hosting.ts'
export { type Place, ReplayMismatch } from './mismatch.ts'
export { offeredModules } from './offered-modules.ts'
export { type ReplayOptions, type ReplayReport, replayChain } from './replay.ts'
export { chainInDatabase, type StoredChain } from './stored-chain.ts'
export { type VerifyOptions, type VerifyReport, verifyDatabase } from './verify.ts'
