import { CodecError, parseShardId, ROOT_REALM, type Shard } from '../../../protocol/index.ts'
import { apiError } from '../../../schema/index.ts'

/** The largest realm that GraphQL's Int can name; above it is only the root chain's. */
const MAX_INT = 0x7fffffff

/** A realm as an Int; null for one that no Int can name. */
export const realmInt = (realm: number): number | null => (realm <= MAX_INT ? realm : null)

/**
 * The realm that an argument names; 0 if absent.
 * @throws GraphQLError BAD_USER_INPUT
 */
export function realmOf(argument: number | null | undefined): number {
  const realm = argument ?? 0
  if (realm < 0) throw apiError('BAD_USER_INPUT', `A realm is a number from 0 up, not ${realm}.`)
  return realm
}

/**
 * The realm of the root chain, which no Int can name.
 * @throws GraphQLError BAD_USER_INPUT if another one is named beside it
 */
export function rootRealm(argument: number | null | undefined): number {
  if (argument === null || argument === undefined) return ROOT_REALM
  throw apiError('BAD_USER_INPUT', 'A cell is in a realm or on the root chain: leave `realm` or `onRoot` out.')
}

/**
 * Checks an address, an id or a hash.
 * @throws GraphQLError BAD_USER_INPUT
 */
export function thirtyTwoBytes(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 32) return bytes
  throw apiError('BAD_USER_INPUT', `\`${name}\` has 32 bytes (0x and 64 hex digits), not ${bytes.length}.`)
}

/**
 * The shard that an argument names, whether it exists or not.
 * @throws GraphQLError BAD_USER_INPUT
 */
export function shardOfName(name: string): Shard {
  try {
    return parseShardId(name)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw apiError('BAD_USER_INPUT', `${error.message}.`)
  }
}
