import type { IncomingMessage } from 'node:http'
import { HttpError } from '../http/http-error.ts'
import type { Limits } from './limits.ts'

/** The bodies that are being received: each is bounded, and all together. */
export class Bodies {
  readonly #each: number
  readonly #all: number
  #received = 0

  constructor({ bodyBytes, bodiesBytes }: Pick<Limits, 'bodyBytes' | 'bodiesBytes'>) {
    this.#each = bodyBytes
    this.#all = bodiesBytes
  }

  /** Bytes of bodies that have begun and not ended. */
  get received(): number {
    return this.#received
  }

  /** Reads a whole body. @throws what `receive` says */
  read(request: IncomingMessage): Promise<string> {
    return new Promise((resolve, reject) => this.receive(request, resolve, reject))
  }

  /**
   * Reads a whole body and calls `done` in the turn of the loop in which it is there.
   * @param refuse called instead: with REQUEST_ENTITY_TOO_LARGE as soon as it is known to be; with OVERLOADED if others
   * have taken the room; with BAD_REQUEST if the client stops in the middle
   */
  receive(request: IncomingMessage, done: (text: string) => void, refuse: (error: HttpError) => void): void {
    if (Number(request.headers['content-length'] ?? 0) > this.#each) return refuse(this.#tooLarge())
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let size = 0
    let isOver = false
    const end = (): boolean => {
      if (isOver) return false
      isOver = true
      this.#received -= size
      return true
    }
    request.on('data', (chunk: Buffer) => {
      if (isOver) return
      size += chunk.length
      this.#received += chunk.length
      if (size <= this.#each && this.#received <= this.#all) {
        if (first === undefined) first = chunk
        else if (rest === undefined) rest = [first, chunk]
        else rest.push(chunk)
        return
      }
      request.pause()
      const error = size > this.#each ? this.#tooLarge() : overloaded()
      if (end()) refuse(error)
    })
    request.on('end', () => {
      if (end()) done((rest === undefined ? (first ?? NOTHING) : Buffer.concat(rest, size)).toString('utf8'))
    })
    const broken = (): void => {
      if (end()) refuse(new HttpError(400, 'BAD_REQUEST', 'The request ended before its body did.'))
    }
    request.on('aborted', broken)
    request.on('error', broken)
  }

  #tooLarge(): HttpError {
    return new HttpError(
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      `The request is larger than ${this.#each} bytes. Send less at a time; network { limits { bodyBytes } } tells the limit.`,
    )
  }
}

const NOTHING = Buffer.alloc(0)

const overloaded = () =>
  new HttpError(503, 'OVERLOADED', 'The node receives as much as it can at a time. Try again in some seconds.')
