import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiError } from '../../schema/index.ts'
import { createHttpServer, type HttpServer } from '../http/index.ts'
import { silentLog } from '../log.ts'
import { zooSchema } from './fixtures/zoo.ts'

let server: HttpServer
beforeAll(async () => {
  server = await createHttpServer({
    schema: zooSchema({ loads: [], order: [], aborted: 0 }),
    log: silentLog,
    port: 0,
    authenticate({ authorization }) {
      if (authorization === undefined) throw apiError('RATE_LIMITED', 'too often', { retryAfter: 7 })
      throw apiError('UNAUTHENTICATED', 'who is this?')
    },
  })
})
afterAll(() => server.close(100))

/** Asks without ever sending the body that it announces. */
const ask = (headers: Record<string, string>) =>
  new Promise<{ status: number | undefined; retryAfter: string | undefined; text: string }>((resolve, reject) => {
    const type = { 'content-type': 'application/json', 'content-length': '100000' }
    const asking = request(server.url, { method: 'POST', headers: { ...type, ...headers } }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      asking.destroy()
      resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], text })
    })
    asking.on('error', reject)
    asking.flushHeaders()
  })

test.each(['application/json', 'application/graphql-response+json', 'text/event-stream'])(
  'who is not let in is told so before anything is read, to whoever accepts %s',
  async (accept) => {
    const limited = await ask({ accept })
    expect(limited).toMatchObject({ status: 429, retryAfter: '7', text: expect.stringContaining('RATE_LIMITED') })
    const stranger = await ask({ accept, authorization: 'Bearer x' })
    expect(stranger).toMatchObject({ status: 401, text: expect.stringContaining('UNAUTHENTICATED') })
    expect(stranger.text).not.toContain('"http"')
  },
)

test('the page of 9 MB counts as what a stranger asks', async () => {
  const response = await fetch(server.url, { headers: { accept: 'text/html' } })
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7'])
})
