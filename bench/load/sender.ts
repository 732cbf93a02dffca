import { setTimeout as sleep } from 'node:timers/promises'
import { HttpConnection } from './http-connection.ts'
import type { LoadResult } from './messages.ts'
import { readAnswer } from './outcomes.ts'
import type { SignedRequest, SignedRequests } from './signed-requests.ts'
import type { Tally } from './tally.ts'

/** How long to wait when the node says that it has too much to do. */
const REPEAT_MS = 20
/** Connections of a paced load: more requests than these under way means that the node does not keep up. */
const MAX_PACED = 512

/** Sends signed requests in different rhythms. */
export class LoadSender {
  readonly #port: number
  readonly #requests: SignedRequests
  readonly #tally: Tally
  #sample: { readonly request: Uint8Array; readonly answer: Uint8Array } | undefined

  constructor(port: number, requests: SignedRequests, tally: Tally) {
    this.#port = port
    this.#requests = requests
    this.#tally = tally
  }

  /** The first request of this sender that was answered. */
  get sample(): { readonly request: Uint8Array; readonly answer: Uint8Array } {
    if (this.#sample === undefined) throw new TypeError('nothing was answered yet')
    return this.#sample
  }

  /** As fast as the answers come. */
  async flood(connections: number, seconds: number): Promise<LoadResult> {
    const pool = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(this.#port)))
    this.#tally.begin()
    const started = performance.now()
    const end = started + 1000 * seconds
    let ranOut = false
    await Promise.all(
      pool.map(async (connection) => {
        while (performance.now() < end) {
          const request = this.#requests.take()
          if (request === undefined) {
            ranOut = true
            return
          }
          await this.#send(connection, request, performance.now(), true)
        }
      }),
    )
    for (const connection of pool) connection.close()
    return this.#tally.result(performance.now() - started, ranOut)
  }

  /** At fixed times. Requests of the first `warmSeconds` do not count as latencies. */
  async pace(perSecond: number, seconds: number, warmSeconds: number): Promise<LoadResult> {
    // First come, first used: the server closes those that are not used for some seconds.
    let idle: HttpConnection[] = []
    const opened: HttpConnection[] = []
    const underWay = new Set<Promise<void>>()
    this.#tally.begin()
    const started = performance.now()
    const total = Math.floor(perSecond * seconds)
    let ranOut = false
    for (let i = 0; i < total && !ranOut; i++) {
      const due = started + (1000 * i) / perSecond
      while (performance.now() < due) await sleep(Math.max(1, due - performance.now() - 1))
      while (underWay.size >= MAX_PACED) await Promise.race(underWay)
      const request = this.#requests.take()
      if (request === undefined) ranOut = true
      else {
        idle = idle.filter(({ isOpen }) => isOpen)
        const known = idle.shift()
        const connection = known ?? (await HttpConnection.open(this.#port))
        if (known === undefined) opened.push(connection)
        const sent: Promise<void> = this.#send(connection, request, due, due >= started + 1000 * warmSeconds).then(
          () => {
            idle.push(connection)
            underWay.delete(sent)
          },
        )
        underWay.add(sent)
      }
    }
    await Promise.all(underWay)
    for (const connection of opened) connection.close()
    return this.#tally.result(performance.now() - started, ranOut)
  }

  /** One at a time, each after a pause of up to twice `pauseMs`: at no fixed place between two root blocks. */
  async single(count: number, pauseMs: number): Promise<LoadResult> {
    const connection = await HttpConnection.open(this.#port)
    this.#tally.begin()
    const started = performance.now()
    let ranOut = false
    for (let i = 0; i < count && !ranOut; i++) {
      await sleep(2 * pauseMs * Math.random())
      const request = this.#requests.take()
      if (request === undefined) ranOut = true
      else await this.#send(connection, request, performance.now(), true)
    }
    connection.close()
    return this.#tally.result(performance.now() - started, ranOut)
  }

  /** The sample's request again and again, to a server that answers anything. */
  async same(port: number, connections: number, seconds: number): Promise<LoadResult> {
    const { request } = this.sample
    const pool = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)))
    this.#tally.begin()
    const started = performance.now()
    const end = started + 1000 * seconds
    await Promise.all(
      pool.map(async (connection) => {
        while (performance.now() < end) {
          const sent = performance.now()
          readAnswer(await connection.send(request))
          this.#tally.counted(performance.now() - sent)
        }
      }),
    )
    for (const connection of pool) connection.close()
    return this.#tally.result(performance.now() - started, false)
  }

  async #send(connection: HttpConnection, request: SignedRequest, due: number, counts: boolean): Promise<void> {
    for (;;) {
      const http = await connection.send(request.bytes)
      this.#sample ??= { request: request.bytes, answer: http.body }
      const answer = readAnswer(http)
      if ('outcomes' in answer) {
        this.#tally.answered(answer.outcomes, request.ids, counts ? performance.now() - due : undefined)
        return
      }
      this.#tally.repeated()
      await sleep(REPEAT_MS)
    }
  }
}
