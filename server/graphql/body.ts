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

  /**
   * Reads a whole body.
   * @throws HttpError REQUEST_ENTITY_TOO_LARGE as soon as it is known to be; OVERLOADED if others have taken the room;
   * BAD_REQUEST if the client stops in the middle
   */
  read(request: IncomingMessage): Promise<string> {
    if (Number(request.headers['content-length'] ?? 0) > this.#each) return Promise.reject(this.#tooLarge())
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      let isOver = false
      const over = (): boolean => {
        if (isOver) return false
        isOver = true
        this.#received -= size
        return true
      }
      const refuse = (error: HttpError): void => {
        if (over()) reject(error)
      }
      request.on('data', (chunk: Buffer) => {
        if (isOver) return
        size += chunk.length
        this.#received += chunk.length
        if (size <= this.#each && this.#received <= this.#all) {
          chunks.push(chunk)
          return
        }
        request.pause()
        refuse(size > this.#each ? this.#tooLarge() : overloaded())
      })
      request.on('end', () => {
        if (!over()) return
        const [only] = chunks
        resolve((chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size)).toString('utf8'))
      })
      const broken = () => refuse(new HttpError(400, 'BAD_REQUEST', 'The request ended before its body did.'))
      request.on('aborted', broken)
      request.on('error', broken)
    })
  }

  #tooLarge(): HttpError {
    return new HttpError(
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      `The request is larger than ${this.#each} bytes. Send less at a time; network { limits { bodyBytes } } tells the limit.`,
    )
  }
}

const overloaded = () =>
  new HttpError(503, 'OVERLOADED', 'The node receives as much as it can at a time. Try again in some seconds.')
