import { concat } from './bytes.ts'
import { encode } from './cbor.ts'
import { domain } from './domain.ts'

/** What somebody signs to show that an account is theirs. */
export interface SignIn {
  /** The network's name. */
  readonly network: string
  /** 32 bytes; null for a network without a ledger. */
  readonly networkId: Uint8Array | null
  /** Host and port of the server as the client knows it, like `api.example.org` or `localhost:4000`. */
  readonly audience: string
  /** 32 bytes. */
  readonly address: Uint8Array
  /** What the server gave: no two are alike. */
  readonly nonce: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * The bytes to sign for a sign-in. They begin with a domain of their own, so that they are never a transaction; and
 * they name the server, so that one server cannot pass its visitors' signatures on to another.
 */
export function signInBytes({ network, networkId, audience, address, nonce, expiresAt }: SignIn): Uint8Array {
  return concat(domain('sign-in'), encode([network, networkId, audience, address, nonce, expiresAt]))
}
