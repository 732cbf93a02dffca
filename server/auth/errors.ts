import type { GraphQLError } from 'graphql'
import { apiError } from '../../schema/index.ts'

/** Credentials that are not good. It never says which part of them: that would help to guess. */
export const badCredentials = (): GraphQLError =>
  apiError(
    'UNAUTHENTICATED',
    'This API key or token is unknown, expired or revoked. Use another, or none for what is open to all.',
  )

/** @param seconds until the next request is taken */
export const rateLimited = (seconds: number): GraphQLError =>
  apiError('RATE_LIMITED', `Too many requests. Try again in ${Math.ceil(seconds)} s.`, {
    retryAfter: Math.max(1, Math.ceil(seconds)),
  })

/** What somebody is told whose request cannot be judged now. */
export const cannotTell = (): GraphQLError =>
  apiError(
    'UNAVAILABLE',
    'The node cannot check now who you are: its database does not answer. Try again in some seconds.',
  )

export type IdentityErrorCode =
  | 'ACCOUNT_LIMIT'
  | 'ACCOUNT_UNKNOWN'
  | 'BAD_KEY_OPTIONS'
  | 'BAD_SIGN_IN'
  | 'KEY_LIMIT'
  | 'KEY_UNKNOWN'
  | 'NOT_YOURS'
  | 'SCOPE_NOT_YOURS'

/** What somebody may not do, or not so; clients see it as a typed refusal. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode

  /** @param message what is wrong and how to mend it, for clients */
  constructor(code: IdentityErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export type KeystoreErrorCode = 'KEYSTORE_KEY_BAD' | 'KEYSTORE_KEY_MISSING' | 'KEYSTORE_DAMAGED'

/** The keystore cannot be read; the message is for operators and holds no secret. */
export class KeystoreError extends Error {
  override readonly name = 'KeystoreError'
  readonly code: KeystoreErrorCode

  constructor(code: KeystoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
