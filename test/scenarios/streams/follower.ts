import { type Client, createClient } from '../../../client/index.ts'
import { CuttingProxy } from '../node/cutting-proxy.ts'
import { EventReader, firstEvent } from './event-reader.ts'

/** A client that follows all events of a node, from the first on, wherever the node is after its next start. */
export class Follower {
  readonly #proxy: CuttingProxy
  readonly #client: Client
  readonly #reader: EventReader

  private constructor(proxy: CuttingProxy, begin: string) {
    this.#proxy = proxy
    this.#client = createClient({ url: proxy.url })
    this.#reader = new EventReader(this.#client, null, begin)
    this.#reader.start()
  }

  /** Begins with the first event that there is; waits for it. */
  static async of(url: string): Promise<Follower> {
    const begin = await firstEvent(url)
    return new Follower(await CuttingProxy.to(url), begin)
  }

  /** Events that came. */
  get count(): number {
    return this.#reader.received.length
  }

  /** Waits until it has all there is at this address, each event once and in order. */
  async hasAll(url: string): Promise<void> {
    this.#proxy.lead(url)
    await this.#reader.hasAll(url)
  }

  async close(): Promise<void> {
    await this.#reader.stop()
    await this.#client.close()
    await this.#proxy.close()
  }
}
