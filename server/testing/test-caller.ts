import { ANONYMOUS, type Principal } from '../../schema/index.ts'

/** Who asks in a test: a principal; or only what matters about it. Everybody is anonymous if absent. */
export type TestCaller =
  | Principal
  | {
      /** Like `['jobs:read']`. */
      readonly scopes?: readonly string[]
      /** The address of the account that it acts for, 32 bytes. */
      readonly account?: Uint8Array
    }

/** The principal that a test means. One without a kind has an API key with these scopes. */
export function callerOf(caller: TestCaller | undefined): Principal {
  if (caller === undefined) return ANONYMOUS
  if ('kind' in caller) return caller
  const scopes = new Set(caller.scopes ?? [])
  const account = caller.account ?? null
  return {
    kind: 'key',
    id: 'test',
    account,
    scopes,
    access: `test:${[...scopes].sort().join(',')}:${account === null ? '' : Buffer.from(account).toString('hex')}`,
    can: (scope) => scopes.has(scope),
  }
}
