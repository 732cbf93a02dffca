import type { SchemaPart } from '../../../schema/index.ts'
import type { Identity } from '../identity.ts'
import { defineMutations } from './mutations.ts'
import { defineQueries } from './queries.ts'
import { defineTypes } from './types.ts'

/** What the core offers about identities. @param identity called in resolvers only */
export const identitySchema = (identity: () => Identity): SchemaPart => ({
  owner: 'core',
  define(builder) {
    const types = defineTypes(builder, identity)
    defineQueries(builder, types, identity)
    defineMutations(builder, types, identity)
  },
})
