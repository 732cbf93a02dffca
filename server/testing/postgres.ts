import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded/supervisor.ts'
import { codeOf } from '../db/errors.ts'
import { silentLog } from '../log.ts'
import type { DatabaseOptions } from '../plugin/sql.ts'

/** A Postgres for tests: no durability, gone with its data when it is stopped. */
async function startTestPostgres(): Promise<EmbeddedPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'deaios-test-'))
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, durable: false })
  return {
    options: postgres.options,
    async stop() {
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Where the test runner (process `pid`) answers its workers. */
const meetingPoint = (pid: number): string => join(tmpdir(), `deaios-test-${pid}.sock`)

/**
 * Offers one Postgres to all test workers of this process. It is started when the first of them asks.
 *
 * @returns how to end it
 */
export async function offerTestPostgres(): Promise<() => Promise<void>> {
  let starting: Promise<EmbeddedPostgres> | undefined
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    starting ??= startTestPostgres()
    starting.then(
      ({ options }) => socket.end(JSON.stringify(options)),
      (error: unknown) => socket.end(JSON.stringify({ failed: String(error) })),
    )
  })
  const path = meetingPoint(process.pid)
  await rm(path, { force: true })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return async () => {
    server.close()
    await (await starting)?.stop()
  }
}

const Offered = z.object({
  host: z.string(),
  port: z.int(),
  database: z.string(),
  user: z.string(),
  searchPath: z.array(z.string()),
})

let own: Promise<EmbeddedPostgres> | undefined

/** The runner's Postgres; or, where no runner offers one, a Postgres of this process, which ends with it. */
export async function sharedTestPostgres(): Promise<DatabaseOptions> {
  const socket = createConnection(meetingPoint(process.ppid))
  try {
    return Offered.parse(JSON.parse(await text(socket)))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ECONNREFUSED') throw error
  }
  own ??= startTestPostgres()
  return (await own).options
}
