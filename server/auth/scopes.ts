import { SCOPE_NAME } from '../../schema/index.ts'

/** Includes every scope: the operator's. */
export const ALL_SCOPES = '*'

/** What every account may do with what is its own: manage its keys, spend, take its secret home. */
export const ACCOUNT_SCOPES: readonly string[] = ['keys:read', 'keys:write', 'wallet:export', 'wallet:send']

/** What only people can do, who sign in with a wallet, and keys that the operator lets. */
export const CREATE_ACCOUNTS = 'accounts:write'

/** The first key of a new account can do all but give the account's secret away. */
export const FIRST_KEY_SCOPES: readonly string[] = ['keys:read', 'keys:write', 'wallet:send']

/** True for what a key can be given: a scope, all scopes that begin alike (`jobs:*`), or all (`*`). */
export const isGrant = (text: string): boolean =>
  text === ALL_SCOPES || SCOPE_NAME.test(text.endsWith(':*') ? text.slice(0, -2) : text)

/** Whether somebody with these grants may do what asks for a scope, or may hand on a grant. */
export function includes(grants: ReadonlySet<string>, wanted: string): boolean {
  if (grants.has(wanted) || grants.has(ALL_SCOPES)) return true
  for (let end = wanted.lastIndexOf(':'); end > 0; end = wanted.lastIndexOf(':', end - 1))
    if (grants.has(`${wanted.slice(0, end)}:*`)) return true
  return false
}
