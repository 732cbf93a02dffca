import { fromHex } from '../protocol/index.ts'
import { ClientError } from './errors.ts'
import { type Endpoint, request } from './http.ts'
import { networkQuery } from './operations.ts'

/** What a network says of itself. */
export interface NetworkInfo {
  /** Hash of its genesis document, 32 bytes as 0x-hex: what transactions are signed for. */
  readonly id: string
  readonly name: string
  readonly version: string
  /** Height of the root chain: what `validUntil` is compared with. */
  readonly rootHeight: number
  readonly shardCount: number
}

/** How many root blocks a transaction may wait for its inclusion, if nothing else is said: 1 to 10 minutes. */
const VALID_FOR = 600

/** Milliseconds after which the root height is asked for again: far less than VALID_FOR blocks take. */
const FRESH = 5_000

/** Asks the network about itself. */
export async function readNetwork(endpoint: Endpoint, signal?: AbortSignal): Promise<NetworkInfo> {
  const { network } = await request(endpoint, networkQuery, {}, signal)
  const { id, rootHeight, shardCount } = network
  if (id === null || rootHeight === null || shardCount === null) {
    throw new ClientError('BAD_RESPONSE', 'the node has no ledger now: see its field `plugins`')
  }
  return { ...network, id, shardCount, rootHeight: Number(rootHeight) }
}

/** What has to be known of the network to sign, asked for now and then. */
export class NetworkView {
  readonly #read: () => Promise<NetworkInfo>
  #reading: Promise<{ readonly network: Uint8Array; readonly validUntil: number }> | undefined
  #until = 0

  constructor(read: () => Promise<NetworkInfo>) {
    this.#read = read
  }

  /** The network's id, and the root height until which a transaction signed now is valid. */
  signing(): Promise<{ readonly network: Uint8Array; readonly validUntil: number }> {
    if (this.#reading !== undefined && Date.now() < this.#until) return this.#reading
    this.#until = Date.now() + FRESH
    const reading = this.#read().then(({ id, rootHeight }) => ({
      network: fromHex(id),
      validUntil: rootHeight + VALID_FOR,
    }))
    this.#reading = reading
    // A failure is for those who asked now; the next one asks again.
    reading.catch(() => {
      if (this.#reading === reading) this.#reading = undefined
    })
    return reading
  }
}
