import { type CborValue, encode, equal } from '../../../protocol/index.ts'

/** A cell: the same id is another cell in each realm. */
export interface SessionTarget {
  readonly realm: number
  /** 32 bytes. */
  readonly id: Uint8Array
}

/** A key that may act for an account, within bounds. */
export interface SessionKey {
  /** An ed25519 public key. */
  readonly key: Uint8Array
  /** What it may call: `market.buy`, or `market.*` for all calls of a module. */
  readonly calls: readonly string[]
  /** The cells that it may call; any if empty. */
  readonly targets: readonly SessionTarget[]
  /** Its own lane: it signs in no other, and no other session key signs in this one. */
  readonly lane: number
  /** What it may spend in all, fees and values, in the smallest unit. What bounces does not count back. */
  readonly limit: bigint
  /** What it has spent. */
  readonly spent: bigint
  /** The last root height at which it is good. */
  readonly expires: number
}

/** How many an account can have. */
export const MAX_SESSION_KEYS = 16

/** What only an account's own key may call, whatever a pattern says. */
const NEVER = new Set(['account.authorize', 'account.revoke'])

/** What a transaction of a session key is judged by. */
export interface SignedBySession {
  readonly lane: number
  readonly actions: readonly { readonly to: Uint8Array; readonly realm: number; readonly call: string }[]
}

/** The form in which an account's cell keeps it. */
export const sessionKeyValue = ({ key, calls, targets, lane, limit, spent, expires }: SessionKey): CborValue => [
  key,
  calls,
  targets.map(({ realm, id }) => [realm, id]),
  lane,
  limit,
  spent,
  expires,
]

/** Reads what `sessionKeyValue` wrote. */
export function readSessionKey(value: CborValue): SessionKey {
  const [key, calls, targets, lane, limit, spent, expires] = value as unknown as [
    Uint8Array,
    string[],
    [realm: number, id: Uint8Array][],
    number,
    number | bigint,
    number | bigint,
    number,
  ]
  return {
    key,
    calls,
    targets: targets.map(([realm, id]) => ({ realm, id })),
    lane,
    limit: BigInt(limit),
    spent: BigInt(spent),
    expires,
  }
}

/** Bytes that its deposit pays for: they do not grow with what it has spent. */
export const sessionKeyBytes = (key: SessionKey): number => encode(sessionKeyValue({ ...key, spent: 0n })).length + 16

export const findSessionKey = (keys: readonly SessionKey[], key: Uint8Array): SessionKey | undefined =>
  keys.find((known) => equal(known.key, key))

/**
 * Why a session key may not sign this transaction, as a sentence; undefined if it may.
 * @param cost fee and all values
 * @param rootHeight the root height that it would be included at
 */
export function sessionRefusal(
  session: SessionKey | undefined,
  { lane, actions }: SignedBySession,
  cost: bigint,
  rootHeight: number,
): string | undefined {
  if (session === undefined) return 'this key is not one of the account’s: authorise it, or sign with the account’s own'
  if (rootHeight > session.expires) return `this session key was good until root height ${session.expires}`
  if (lane !== session.lane) return `this session key signs in lane ${session.lane} only`
  const refused = actions.find((action) => !mayCall(session, action.call) || !mayReach(session, action))
  if (refused !== undefined) return `this session key may not do this: ${refused.call}`
  if (session.spent + cost > session.limit)
    return `this session key may spend ${session.limit - session.spent} more; this takes ${cost}`
  return undefined
}

const mayCall = ({ calls }: SessionKey, call: string): boolean =>
  !NEVER.has(call) &&
  calls.some((pattern) => pattern === call || (pattern.endsWith('.*') && call.startsWith(pattern.slice(0, -1))))

const mayReach = ({ targets }: SessionKey, { to, realm }: SignedBySession['actions'][number]): boolean =>
  targets.length === 0 || targets.some((target) => target.realm === realm && equal(target.id, to))
