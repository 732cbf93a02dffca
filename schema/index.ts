/** What plugins define GraphQL with. */
export { type AccessRules, accessRefusal, SCOPE_NAME, scopesOf } from './access.ts'
export { buildSchema, type SchemaPart } from './build.ts'
export { type Builder, createBuilder, type SchemaShape, type UserErrorShape } from './builder.ts'
export {
  type Connection,
  DEFAULT_PAGE,
  type Edge,
  type KeysetCursor,
  keysetCursor,
  MAX_PAGE,
  type PageArgs,
  type PageInfo,
  type PageRequest,
  pageCost,
  pageSize,
  resolvePage,
} from './connection.ts'
export type { Context } from './context.ts'
export { type ApiErrorDetails, apiError, SchemaError, type SchemaProblem, type SchemaProblemCode } from './errors.ts'
export { pluginOf, putOutOfService } from './field-owners.ts'
export { ANONYMOUS, type Principal } from './principal.ts'
export { formatBytes, parseBytes, toJson } from './scalars.ts'
export { LimitsType, type NetworkShape, NetworkType } from './tokens.ts'
