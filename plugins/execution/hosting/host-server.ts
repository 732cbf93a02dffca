import { Door } from '../../../server/links.ts'
import { HostSession, type HostSessionParts } from './host-session.ts'
import type { Office } from './host-store.ts'
import { HOST_PATH } from './messages.ts'

/** Leaders that may be connected at a time: the one that leads, and others that do not know yet that they do not. */
const MAX_SESSIONS = 16

export interface HostServerParts extends Omit<HostSessionParts, 'admit'> {
  /** 127.0.0.1 if absent, so that only this machine can reach it. */
  readonly hostname?: string | undefined
  /** Any free one if absent. */
  readonly port?: number | undefined
  /** What leaders must show. */
  readonly secret: string
}

/** A shard host: runs shards in threads of this process, on its own database, for whoever leads the network. */
export class HostServer {
  readonly #door: Door
  readonly #sessions: Set<HostSession>

  private constructor(door: Door, sessions: Set<HostSession>) {
    this.#door = door
    this.#sessions = sessions
  }

  /** Opens it. Throws the system's error if nothing can listen there. */
  static async open({ hostname = '127.0.0.1', port = 0, secret, ...parts }: HostServerParts): Promise<HostServer> {
    const sessions = new Set<HostSession>()
    let current: HostSession | undefined
    let turn: Promise<unknown> = Promise.resolve()
    /** One after the other, so that whoever was let in last by the database is the one that stays. */
    const admit = (session: HostSession, take: () => Promise<Office>): Promise<Office> => {
      const admitted = turn.then(async () => {
        const office = await take()
        const before = current
        current = session
        await before?.abandon()
        return office
      })
      turn = admitted.catch(() => undefined)
      return admitted
    }
    const door = await Door.open({
      path: HOST_PATH,
      secret,
      hostname,
      port,
      maxOpen: MAX_SESSIONS,
      onSocket: (socket) => {
        const session = new HostSession({ ...parts, admit }, socket)
        sessions.add(session)
        void session.ended.then(() => sessions.delete(session))
      },
    })
    return new HostServer(door, sessions)
  }

  /** Like `ws://127.0.0.1:40123/shard-host`. */
  get url(): string {
    return this.#door.url
  }

  /** Lets the shards end what they are doing, and ends. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()))
    await this.#door.close()
  }
}
