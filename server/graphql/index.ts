/** The public language of the node. */
export type { Authenticate, Credentials } from './authenticate.ts'
export { type CoreSchemaOptions, coreSchema } from './core-schema.ts'
export type { BeforeRequest } from './engine.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
