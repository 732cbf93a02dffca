/** The public language of the node. */
export { coreSchema } from './core-schema.ts'
export type { BeforeRequest } from './engine.ts'
export { DEFAULT_LIMITS } from './limits.ts'
