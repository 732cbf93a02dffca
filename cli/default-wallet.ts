/** The wallet file that is meant if none is named. */
export const DEFAULT_WALLET = 'my.wallet'
