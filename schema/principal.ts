/** Who asks, and what they may do. Made by the server (server/auth/); resolvers only read it. */
export interface Principal {
  /** `wallet`: signed in with an account's key; `key`: an API key. */
  readonly kind: 'anonymous' | 'wallet' | 'key'
  /** What logs and the audit log call it: never a secret. `anonymous`, an address, or a key's public id. */
  readonly id: string
  /** The account (32 bytes) that it acts for; null for those without one. */
  readonly account: Uint8Array | null
  readonly scopes: ReadonlySet<string>
  /**
   * Names what it may see: two requests of the same access get the same answers, so subscriptions of one access can
   * share their work.
   */
  readonly access: string
  /** Whether it has the scope, or one that includes it. */
  can(scope: string): boolean
}

/** Somebody who has shown nothing: reads public data and submits signed transactions. */
export const ANONYMOUS: Principal = Object.freeze({
  kind: 'anonymous',
  id: 'anonymous',
  account: null,
  scopes: new Set<string>(),
  access: 'anonymous',
  can: () => false,
})
