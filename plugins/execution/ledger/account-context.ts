import type { SessionKey } from '../state/session-key.ts'
import type { CallContext } from './module.ts'

/** What the engine keeps in an account's cell beside its balance; only the module `account` reaches it. */
export interface AccountContext extends CallContext {
  /** The account's session keys. */
  readonly sessionKeys: readonly SessionKey[]
  /** Replaces them; their size is paid for by a deposit. @throws CallError DEPOSIT_REQUIRED */
  setSessionKeys(keys: readonly SessionKey[]): void
}

/** The context of a call of the module `account`. */
export function accountContext(ctx: CallContext): AccountContext {
  if ('setSessionKeys' in ctx && 'sessionKeys' in ctx) return ctx as AccountContext
  throw new TypeError('this context does not reach accounts')
}
