import { z } from 'zod'
import { isLoopback } from './limits.ts'

/** What deaios.config.ts says about who may do what, as `identity`. */
export interface IdentityConfig {
  /**
   * Under which addresses clients know this server, like `https://api.example.org`: sign-ins made for other names are
   * refused. The `hostname` that it listens at is always known; names of this machine (`localhost`) are where it listens
   * there only.
   */
  readonly publicUrls?: readonly string[] | undefined
  /**
   * How many proxies of your own stand before the node: so many entries of X-Forwarded-For are believed. 0 if absent:
   * the header is ignored.
   */
  readonly trustedProxies?: number | undefined
  /**
   * Whether anybody who signs in with a wallet may make custodial accounts. If absent they may where the server listens
   * on this machine only: each account is rows that stay.
   */
  readonly openAccounts?: boolean | undefined
  /** Where the master key of custodial accounts is; `<data>/keystore.key` if absent. */
  readonly keystoreKeyFile?: string | undefined
}

const url = z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
  error: 'is not a URL; write it like https://api.example.org',
})

export const identityConfig: z.ZodType<IdentityConfig> = z.strictObject({
  publicUrls: z.array(url).max(100).optional(),
  trustedProxies: z.int().min(0).max(10).optional(),
  openAccounts: z.boolean().optional(),
  keystoreKeyFile: z.string().min(1).optional(),
})

/**
 * Whether a host and port, as a client knows them, are this server's.
 * @param hostname what the server listens at
 */
export function audienceCheck(publicUrls: readonly string[], hostname: string): (audience: string) => boolean {
  const known = new Set(publicUrls.map((known) => new URL(known).host))
  return (audience) => {
    if (known.has(audience.toLowerCase())) return true
    const name = URL.canParse(`http://${audience}`) ? new URL(`http://${audience}`).hostname : ''
    // Elsewhere a page of one's own machine could sign one in there.
    if (['localhost', '127.0.0.1', '[::1]'].includes(name)) return isLoopback(hostname)
    return name !== '' && name === hostname && !isWildcard(name)
  }
}

const isWildcard = (hostname: string): boolean => ['0.0.0.0', '[::]', '::'].includes(hostname)
