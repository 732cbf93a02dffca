import { strict as assert } from 'node:assert'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { zooSchema } from '../../../server/graphql/fixtures/zoo.ts'
import { createHttpServer, type HttpServer } from '../../../server/http/index.ts'
import { silentLog } from '../../../server/log.ts'
import { thenClose } from '../first-error.ts'
import type { Scenario } from '../scenario.ts'
import { DocumentMaker, type RandomRequest } from './random-document.ts'

/** The third time a document is asked, it is compiled. */
const TIMES = 3

const Body = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({ message: z.string(), path: z.array(z.unknown()).optional(), extensions: z.looseObject({}) }).loose(),
    )
    .optional(),
})

/** Documents that nobody thought of, asked by both ways into the node. */
export const twoWays: Scenario = {
  name: 'graphql/two-ways',
  claim: 'whatever is asked, the short way and the general way give one answer, each time',
  unit: 'documents',
  counts: { full: 50_000, reduced: 200 },
  async run({ count, random, progress }) {
    const schema = zooSchema()
    const servers = await Promise.all(
      [true, false].map((hotPath) => createHttpServer({ schema: zooSchema(), log: silentLog, port: 0, hotPath })),
    )
    const maker = new DocumentMaker(schema, random)
    const asked = async () => {
      const counts = { answered: 0, failed: 0, refused: 0 }
      for (let done = 0; done < count; done++) {
        const request = maker.make()
        const kind = await compare(servers, request, random.percent(20))
        counts[kind]++
        if (done % 1000 === 0) progress(`${done} of ${count}`)
      }
      return { documents: count, ...counts }
    }
    return thenClose(asked, () => Promise.all(servers.map((server) => server.close(100))))
  },
}

/** Asks the same of all servers, some times over. Gives what came of it. */
async function compare(
  servers: readonly HttpServer[],
  request: RandomRequest,
  isHashed: boolean,
): Promise<'answered' | 'failed' | 'refused'> {
  const sha256Hash = createHash('sha256').update(request.query).digest('hex')
  const extensions = isHashed ? { persistedQuery: { version: 1, sha256Hash } } : {}
  const body = JSON.stringify({ ...request, extensions })
  let first: Awaited<ReturnType<typeof ask>> | undefined
  for (let time = 0; time < TIMES; time++) {
    for (const { url } of servers) {
      const answer = await ask(url, body)
      first ??= answer
      assert.deepEqual(answer, first, `asked ${body}`)
    }
  }
  if (first === undefined) throw new TypeError('nothing was asked')
  assert.ok(first.status === 200 || first.status === 400, body)
  assert.doesNotMatch(JSON.stringify(first), /secret|node_modules/)
  if (!first.isFaulty) return 'answered'
  return first.body.data === undefined ? 'refused' : 'failed'
}

async function ask(url: string, body: string) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { data, errors } = Body.parse(await response.json())
  const told = (errors ?? []).filter(({ path }) => !isBelowNull(data, path)).map(alike)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    isFaulty: errors !== undefined,
    body: { data, errors: told.sort((a, b) => (key(a) < key(b) ? -1 : 1)) },
  }
}

/**
 * Whether an error took more with it than its own field. What else went wrong below that is told or not, as it comes:
 * GraphQL leaves that open, since nobody needs to know.
 */
function isBelowNull(data: unknown, path: readonly unknown[] | undefined): boolean {
  if (path === undefined || data === undefined) return false
  let value = data
  for (const step of path.slice(0, -1)) {
    if (typeof value !== 'object' || value === null) return true
    value = Reflect.get(value, String(step))
  }
  return value === null
}

/** Ids differ from request to request. */
function alike(error: NonNullable<z.infer<typeof Body>['errors']>[number]) {
  const { message, extensions } = error
  const { id, ...rest } = extensions
  return {
    ...error,
    message: message.replace(/under \S+\.$/, 'under an id.'),
    extensions: { ...rest, hasId: id !== undefined },
  }
}

/** Fields settle in any order, and so do their errors. */
const key = (error: object): string => JSON.stringify(error)
