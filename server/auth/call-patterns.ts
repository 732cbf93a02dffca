/** A call of a ledger module like `market.buy`, or all of a module: `market.*`. */
const PATTERN = /^[a-z][A-Za-z0-9_]{0,63}\.([A-Za-z0-9_]{1,64}|\*)$/

/** What a key with a spending cap may sign if its maker does not say: the cap counts coins, and only these move. */
const COUNTED: readonly string[] = ['account.credit']

/** Calls that give the account itself away. They take the scope wallet:export, whatever a pattern says. */
export const GIVES_AWAY: ReadonlySet<string> = new Set(['account.authorize', 'account.revoke'])

export const isCallPattern = (text: string): boolean => PATTERN.test(text)

/** What decides about the calls of one key. */
export interface CallTerms {
  /** Patterns; null if its maker did not say. */
  readonly calls: readonly string[] | null
  readonly isCapped: boolean
}

/** The first of some calls that a key may not sign; undefined if it may sign all. */
export function firstForbidden({ calls, isCapped }: CallTerms, asked: readonly string[]): string | undefined {
  const patterns = calls ?? (isCapped ? COUNTED : undefined)
  if (patterns === undefined) return undefined
  return asked.find((call) => !patterns.some((pattern) => matches(pattern, call)))
}

const matches = (pattern: string, call: string): boolean =>
  pattern === call || (pattern.endsWith('.*') && call.startsWith(pattern.slice(0, -1)))
