import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { zooSchema } from '../graphql/fixtures/zoo.ts'
import { DEFAULT_LIMITS } from '../graphql/index.ts'
import { silentLog } from '../log.ts'
import { createHttpServer, type HttpServer } from './index.ts'

let server: HttpServer
beforeAll(async () => {
  const schema = zooSchema({ loads: [], order: [], aborted: 0 })
  const limits = { ...DEFAULT_LIMITS, answerSeconds: 1 }
  server = await createHttpServer({ schema, log: silentLog, port: 0, limits })
})
afterAll(() => server.close(100))

/** Asks for the page of 9 MB. */
function askForPage() {
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('GET /graphql HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n\r\n')
  return socket
}

test('a client that does not read its answer is let go; one that does gets all of it', async () => {
  const reader = askForPage()
  let bytes = 0
  reader.on('data', (chunk) => {
    bytes += chunk.length
  })
  const idle = askForPage()
  await once(idle, 'readable')
  // What the kernel holds for it is all that it ever gets.
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  let late = 0
  idle.on('data', (chunk) => {
    late += chunk.length
  })
  await once(idle, 'close')
  expect(late).toBeGreaterThan(0)
  expect(late).toBeLessThan(bytes)
  reader.destroy()
})

test('a stream stays open, however long nothing is read', async () => {
  const socket = connect(server.port, '127.0.0.1')
  let isClosed = false
  socket
    .on('error', () => undefined)
    .once('close', () => {
      isClosed = true
    })
  const search = `query=${encodeURIComponent('subscription { forever }')}`
  socket.write(`GET /graphql?${search} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`)
  await once(socket, 'readable')
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  socket.resume()
  expect(isClosed).toBe(false)
  socket.destroy()
})
