import { randomBytes } from 'node:crypto'
import type { Answers } from './answers.ts'
import { Door } from './door.ts'
import { PeerSession } from './session.ts'

const PATH = '/peer'
/** Other nodes that may be connected; each has one connection. */
const MAX_SESSIONS = 256

/** Where a node answers the others of its database. */
export interface PeersOptions {
  /** 127.0.0.1 if absent, so that only this machine can reach it. */
  readonly hostname?: string | undefined
  /** Any free one if absent. */
  readonly port?: number | undefined
  /** How the other nodes reach it, if not by hostname and port, like `ws://10.0.0.4:4100/peer`. */
  readonly url?: string | undefined
}

/** The internal door: only who reads the secret in the database gets in. */
export class PeerListener {
  readonly url: string
  /** To be shown by callers; new at each start. */
  readonly secret: string
  readonly #door: Door
  readonly #sessions: Set<PeerSession>

  private constructor(url: string, secret: string, door: Door, sessions: Set<PeerSession>) {
    this.url = url
    this.secret = secret
    this.#door = door
    this.#sessions = sessions
  }

  static async open(answers: Answers, options: PeersOptions = {}): Promise<PeerListener> {
    const { hostname = '127.0.0.1', port = 0 } = options
    const secret = randomBytes(32).toString('base64url')
    const sessions = new Set<PeerSession>()
    const door = await Door.open({
      path: PATH,
      secret,
      hostname,
      port,
      maxOpen: MAX_SESSIONS,
      onSocket: (socket) => {
        const session: PeerSession = new PeerSession(socket, answers, () => sessions.delete(session))
        sessions.add(session)
      },
    })
    return new PeerListener(options.url ?? door.url, secret, door, sessions)
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close()
    await this.#door.close()
  }
}
