import type { IncomingMessage } from 'node:http'
import { HttpError } from '../http/http-error.ts'
import { type Credentials, credentialsOf } from './authenticate.ts'
import { Held, type Holders, type Share } from './share.ts'

/** The bodies that are being received: each is bounded, those of one client, and all together. */
export class Bodies {
  readonly #each: number
  readonly #all: Share
  readonly #holdersOf: (credentials: Credentials) => Holders

  /**
   * @param each bytes of a body
   * @param all bytes of everything that is being received
   * @param holdersOf whom a body is counted for
   */
  constructor(each: number, all: Share, holdersOf: (credentials: Credentials) => Holders) {
    this.#each = each
    this.#all = all
    this.#holdersOf = holdersOf
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
    const declared = Number(request.headers['content-length'] ?? 0)
    if (declared > this.#each) return refuse(this.#tooLarge())
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let size = 0
    let isOver = false
    let held: Held | undefined
    const end = (): boolean => {
      if (isOver) return false
      isOver = true
      held?.set(0)
      return true
    }
    request.on('data', (chunk: Buffer) => {
      if (isOver) return
      size += chunk.length
      // Most bodies come in one piece: it is not kept, so it need not be counted.
      if (size === declared && first === undefined) {
        first = chunk
        return
      }
      held ??= new Held(this.#all, this.#holdersOf(credentialsOf(request)))
      if (size <= this.#each && held.set(size)) {
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
  new HttpError(
    503,
    'OVERLOADED',
    'The node receives as much as it can at a time, or as much of this client. Try again in some seconds.',
  )
