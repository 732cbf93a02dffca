/** The chain that `npm run record-chain` kept. */
export const RECORDED = new URL('../fixtures/recorded-chain.cbor.gz', import.meta.url)
