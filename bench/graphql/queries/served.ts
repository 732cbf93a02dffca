import type { Bench } from '../../benchmark.ts'
import { postRequest } from '../../load/request.ts'
import { Child } from '../live/child.ts'
import type { EdgeAnswers, EdgeRequest, RepeatAnswers, RepeatRequest } from './messages.ts'

/** Clients that each wait for their answer. */
const CONNECTIONS = 64
const WARM_SECONDS = 1

type Edge = Child<EdgeRequest, EdgeAnswers>

/** A server in a process of its own, and the request that it is asked. */
export interface Served {
  readonly name: string
  readonly port: number
  readonly request: Uint8Array
  readonly authorization: string | null
  readonly edge: Edge
}

export interface Rate {
  /** Requests for each second of processor time of the server's process: what one core does. */
  readonly perCore: number
  /** Requests for each second that passed, with whatever else the machine did. */
  readonly perSecond: number
}

/** The same server, asked something else. */
export const asked = (served: Served, body: object): Served => ({
  ...served,
  request: requestOf(served.port, body, served.authorization),
})

/** The load for a bench: servers are asked in turn, so that each meets the same machine. */
export class Repeater {
  readonly #bench: Bench
  readonly #staysAwake: boolean
  readonly #load: Child<RepeatRequest, RepeatAnswers>

  /** @param staysAwake whether the load keeps a core to itself; not where the database needs it */
  constructor(bench: Bench, staysAwake: boolean) {
    this.#bench = bench
    this.#staysAwake = staysAwake
    this.#load = new Child(bench.scope, new URL('./repeat.ts', import.meta.url))
  }

  /** Starts a server that answers GraphQL. */
  async serve(how: 'deaios' | 'yoga', body: object): Promise<Served> {
    const edge = this.#start()
    const { port, authorization } = await edge.ask({ kind: 'open', how, folder: this.#bench.folder() })
    return { name: how, port, edge, authorization, request: requestOf(port, body, authorization) }
  }

  /** Starts a server of node:http that reads the same request and answers the same bytes. */
  async servePlain(like: Served, answer: Uint8Array): Promise<Served> {
    const edge = this.#start()
    const { port } = await edge.ask({ kind: 'plain', answer })
    return { ...like, name: 'plain node:http', port, edge }
  }

  /** One answer. */
  async once({ port, request }: Served): Promise<Uint8Array> {
    return (await this.#load.ask({ kind: 'repeat', port, request, connections: 1, seconds: 0.001, staysAwake: false }))
      .answer
  }

  /** Warms each up, then loads them in turn, `rounds` times. */
  async measure(servers: readonly Served[], seconds: number, rounds = 6): Promise<readonly Rate[]> {
    for (const served of servers) await this.#run(served, WARM_SECONDS)
    const runs = servers.map(() => ({ requests: 0, ms: 0, cpu: 0 }))
    for (let round = 0; round < rounds; round++) {
      for (const [index, served] of servers.entries()) {
        const total = runs[index]
        if (total === undefined) continue
        const run = await this.#run(served, seconds / rounds)
        total.requests += run.requests
        total.ms += run.ms
        total.cpu += run.cpu
      }
    }
    return runs.map(({ requests, ms, cpu }, index) => {
      const rate = { perCore: requests / cpu, perSecond: (1000 * requests) / ms }
      const said = `${servers[index]?.name}: ${Math.round(rate.perCore)} req/s a core`
      this.#bench.say(`${said}, ${Math.round(rate.perSecond)} req/s as the clock has it`)
      return rate
    })
  }

  #start(): Edge {
    return new Child(this.#bench.scope, new URL('./edge.ts', import.meta.url))
  }

  async #run({ port, request, edge }: Served, seconds: number) {
    const before = await edge.ask({ kind: 'cpu' })
    const staysAwake = this.#staysAwake
    const asked = { kind: 'repeat', port, request, connections: CONNECTIONS, seconds, staysAwake } as const
    const run = await this.#load.ask(asked)
    return { ...run, cpu: (await edge.ask({ kind: 'cpu' })) - before }
  }
}

function requestOf(port: number, body: object, authorization: string | null): Uint8Array {
  const request = postRequest({ port, path: '/graphql' }, JSON.stringify(body)).toString('latin1')
  if (authorization === null) return Buffer.from(request, 'latin1')
  return Buffer.from(request.replace('\r\n', `\r\nAuthorization: ${authorization}\r\n`), 'latin1')
}
