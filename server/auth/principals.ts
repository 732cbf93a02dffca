import type { Principal } from '../../schema/index.ts'
import type { LoadedKey } from './key-rows.ts'
import { includes } from './scopes.ts'

/** Whoever shows an API key. Its `access` is its own: what ends with the key ends for nobody else. */
export function keyPrincipal({ id, account, scopes: granted }: LoadedKey): Principal {
  const scopes = new Set(granted)
  return Object.freeze({
    kind: 'key',
    id,
    account,
    scopes,
    access: keyAccess(id),
    can: (scope: string) => includes(scopes, scope),
  })
}

/** The `access` of a key's bearer. */
export const keyAccess = (id: string): string => `key:${id}`

/** Whoever has signed in with an account's own key. */
export function walletPrincipal(account: Uint8Array, granted: readonly string[]): Principal {
  const scopes = new Set(granted)
  const id = `0x${Buffer.from(account).toString('hex')}`
  return Object.freeze({
    kind: 'wallet',
    id,
    account,
    scopes,
    access: `wallet:${id}`,
    can: (scope: string) => includes(scopes, scope),
  })
}
