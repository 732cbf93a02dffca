import { pause } from '../../pause.ts'
import type { DatabaseOptions, Sql } from '../../plugin/sql.ts'
import { ConnectionError } from './connection-error.ts'
import { Lane } from './lane.ts'
import { runOn } from './session-sql.ts'

const FIRST_RETRY_MS = 20
const MAX_RETRY_MS = 1_000

interface Listener {
  readonly heard: (payload: string) => void
  /** Called whenever it listens again: what was said before that may have been missed. */
  readonly listens: () => void
}

/**
 * Listens to channels on a connection of its own. When that ends it connects again until it can, and listens to all of
 * them; what is said meanwhile is missed.
 */
export class Listening {
  readonly #maker: Sql
  readonly #options: { readonly database: DatabaseOptions; readonly connectMs: number }
  readonly #channels = new Map<string, Set<Listener>>()
  readonly #ending = new AbortController()
  #lane: Lane | undefined
  #recovering: Promise<void> | undefined

  constructor(maker: Sql, options: { readonly database: DatabaseOptions; readonly connectMs: number }) {
    this.#maker = maker
    this.#options = options
  }

  /**
   * @param heard called with each payload
   * @param listens called whenever it listens again after a time in which it did not, and at the beginning
   * @returns what Postgres said to LISTEN, and how to end it
   * @throws the connection's error; it does not listen then
   */
  async listen(channel: string, heard: (payload: string) => void, listens: () => void = () => undefined) {
    if (this.#ending.signal.aborted) throw ended()
    const listener = { heard, listens }
    const listeners = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, listeners.add(listener))
    const unlisten = (): Promise<void> => this.#unlisten(channel, listener)
    try {
      this.#lane ??= this.#open()
      const answer = await this.#do(this.#lane, `listen ${quoted(channel)}`)
      listens()
      return { state: stateOf(answer), unlisten }
    } catch (error) {
      this.#forget(channel, listener)
      throw error
    }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    const lane = this.#lane
    lane?.end()
    await lane?.closed
    await this.#recovering
  }

  #open(): Lane {
    return new Lane({
      ...this.#options,
      maker: this.#maker,
      onClosed: (lane) => this.#closed(lane),
      onNotify: (channel, payload) => {
        for (const { heard } of [...(this.#channels.get(channel) ?? [])]) heard(payload)
      },
    })
  }

  #closed(lane: Lane): void {
    if (this.#lane !== lane) return
    this.#lane = undefined
    if (this.#ending.signal.aborted || this.#recovering !== undefined || this.#channels.size === 0) return
    this.#recovering = this.#recover().finally(() => {
      this.#recovering = undefined
    })
  }

  async #recover(): Promise<void> {
    const { signal } = this.#ending
    for (let attempt = 0; !signal.aborted && this.#channels.size > 0; attempt++) {
      const lane = this.#lane ?? this.#open()
      this.#lane = lane
      try {
        for (const channel of [...this.#channels.keys()]) await this.#do(lane, `listen ${quoted(channel)}`)
        for (const listeners of [...this.#channels.values()]) for (const { listens } of [...listeners]) listens()
        return
      } catch {
        // Each failure is the database's absence, which its session reports; here it is waited for.
        lane.destroy(ended())
        await pause(Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS), signal)
      }
    }
  }

  async #unlisten(channel: string, listener: Listener): Promise<void> {
    const lane = this.#lane
    if (this.#forget(channel, listener) && lane !== undefined) await this.#do(lane, `unlisten ${quoted(channel)}`)
  }

  /** Whether nobody listens to the channel any more. */
  #forget(channel: string, listener: Listener): boolean {
    const listeners = this.#channels.get(channel)
    if (listeners?.delete(listener) !== true || listeners.size > 0) return false
    return this.#channels.delete(channel)
  }

  async #do(lane: Lane, text: string): Promise<unknown> {
    return await runOn(this.#maker, (statement) => lane.run(statement), text)
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const ended = (): ConnectionError => new ConnectionError('CONNECTION_ENDED', 'the listening connection was closed')

const stateOf = (answer: unknown): unknown =>
  typeof answer === 'object' && answer !== null && 'state' in answer ? answer.state : undefined
