import { dial, MAX_BUFFERED, Wire } from '../../../server/links.ts'
import { type Log, pause } from '../../../server/plugin.ts'
import type { RootMoment } from '../root/root-moment.ts'
import { MAX_AHEAD_MS } from '../root/time-ahead.ts'
import { type Explanation, explain } from './explain.ts'
import { type FromHost, HOST_PROTOCOL, ownBytes, type ToHost } from './messages.ts'

const RETRY_MS = 100
const MAX_RETRY_MS = 2_000
/** What is the matter with a shard host that is of another release, or does not work. */
const NONSENSE = 'SHARD_HOST_FAULT'

export interface HostLinkParts {
  readonly name: string
  /** Like `ws://10.0.0.7:4100/shard-host`. */
  readonly url: string
  readonly secret: string
  /** The network's genesis document. */
  readonly document: Uint8Array
  /** The leader's fence in its own database. */
  readonly fence: bigint
  readonly log: Log
  /** The host works for a newer leader. */
  readonly onFenced: () => void
  readonly rootMoment: (height: number) => Promise<RootMoment>
}

/** A shard that runs at the other end. */
export interface LinkedShard {
  readonly id: string
  /** The host has let this leader in, and runs nothing yet. */
  up(): void
  /** The host is not to be reached, or does not let this leader in. */
  down(reason: Explanation): void
  take(message: Extract<FromHost, { type: 'report' | 'status' }>): void
}

/** The leader's connection to one shard host; opened again whenever it breaks, for as long as shards are attached. */
export class HostLink {
  readonly #parts: HostLinkParts
  readonly #shards = new Map<string, LinkedShard>()
  #wire: Wire<FromHost, ToHost> | undefined
  #over = new AbortController()
  #fence: bigint | undefined
  #trouble = ''

  constructor(parts: HostLinkParts) {
    this.#parts = parts
  }

  get name(): string {
    return this.#parts.name
  }

  /** What writes to the host's database are held to now; undefined while this leader is not let in. */
  get fence(): bigint | undefined {
    return this.#fence
  }

  /** Adds a shard; with the first one the connection is opened. */
  attach(shard: LinkedShard): void {
    const isFirst = this.#shards.size === 0
    this.#shards.set(shard.id, shard)
    if (isFirst) {
      this.#over = new AbortController()
      void this.#keep(this.#over.signal)
    } else if (this.#fence !== undefined) shard.up()
  }

  /** Takes a shard away; with the last one the connection is closed. */
  detach(shard: LinkedShard): void {
    if (this.#shards.get(shard.id) === shard) this.#shards.delete(shard.id)
    if (this.#shards.size > 0) return
    this.#over.abort()
    this.#wire?.terminate()
  }

  /** False if it is not open. */
  send(message: ToHost): boolean {
    if (this.#fence === undefined) return false
    this.#post(message)
    return true
  }

  /** Too much waits already: new work had better come later. */
  get isBusy(): boolean {
    return (this.#wire?.buffered ?? 0) > MAX_BUFFERED / 4
  }

  async #keep(signal: AbortSignal): Promise<void> {
    for (let wait = RETRY_MS; !signal.aborted; wait = Math.min(2 * wait, MAX_RETRY_MS)) {
      const { wasOpen, reason } = await this.#once(signal)
      if (signal.aborted) return
      if (wasOpen) wait = RETRY_MS
      this.#tell(reason)
      for (const shard of this.#shards.values()) shard.down(reason)
      if (reason.code === 'FENCED') return this.#parts.onFenced()
      await pause(wait, signal)
    }
  }

  /** One connection, from its beginning to its end. */
  #once(signal: AbortSignal): Promise<{ readonly wasOpen: boolean; readonly reason: Explanation }> {
    const { url, secret, document, fence } = this.#parts
    return new Promise((resolve) => {
      const socket = dial(url, secret)
      let wasOpen = false
      let reason: Explanation = { code: 'UNREACHABLE', message: 'the connection broke' }
      // 'close' follows each.
      socket.on('error', (error) => {
        reason = { code: 'UNREACHABLE', message: error.message }
      })
      socket.once('open', () => this.#post({ type: 'open', protocol: HOST_PROTOCOL, network: document, fence }))
      const take = (message: FromHost): void => {
        if (message.type === 'refused') {
          reason = { code: message.code, message: message.message }
          socket.terminate()
        } else if (message.type === 'opened') {
          // A block's time is never before that of what it takes in: such a clock would take the ledger along.
          const ahead = message.time - Date.now()
          if (!(ahead <= MAX_AHEAD_MS)) {
            reason = {
              code: 'CLOCK_AHEAD',
              message: `its clock is ${Math.round(ahead / 1000)} s ahead: set both by NTP`,
            }
            return socket.terminate()
          }
          wasOpen = true
          this.#fence = message.fence
          this.#trouble = ''
          this.#parts.log.info({ shardHost: this.name }, 'a shard host is there')
          for (const shard of this.#shards.values()) shard.up()
        } else if (message.type === 'want-root') void this.#tellRoot(wire, message)
        else if (message.type === 'report' || message.type === 'status') this.#shards.get(message.shard)?.take(message)
        else throw new TypeError('a message of an unknown kind')
      }
      // Other shards go on, whatever one shard host says.
      const takeIfSound = (message: FromHost): void => {
        if (reason.code === NONSENSE) return
        try {
          take(ownBytes(message))
        } catch (error) {
          reason = { code: NONSENSE, message: `it says what cannot be used: ${explain(error).message}` }
          socket.terminate()
        }
      }
      const wire = new Wire<FromHost, ToHost>(socket, takeIfSound, () => {
        if (this.#wire === wire) {
          this.#fence = undefined
          this.#wire = undefined
        }
        resolve({ wasOpen, reason })
      })
      this.#wire = wire
      if (signal.aborted) socket.terminate()
    })
  }

  async #tellRoot(
    wire: Wire<FromHost, ToHost>,
    { id, height }: Extract<FromHost, { type: 'want-root' }>,
  ): Promise<void> {
    let root: RootMoment | null = null
    try {
      root = await this.#parts.rootMoment(height)
    } catch (error) {
      this.#parts.log.warn({ shardHost: this.name, height, error: explain(error) }, 'a root block cannot be read')
    }
    wire.send({ type: 'root', id, root })
  }

  /** A host that does not read what it is told is as good as gone: it gets everything again later. */
  #post(message: ToHost): void {
    if ((this.#wire?.buffered ?? 0) > MAX_BUFFERED) this.#wire?.terminate()
    else this.#wire?.send(message)
  }

  #tell({ code, message }: Explanation): void {
    const trouble = `${code}: ${message}`
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    const hint = message.includes('401') ? '; its secret is another one than in the secretFile here' : ''
    this.#parts.log.warn(
      { shardHost: this.name, url: this.#parts.url, code },
      `shard host ${this.name} is not there: ${message}${hint}; its shards wait`,
    )
  }
}
