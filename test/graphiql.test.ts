import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createHttpServer, type HttpServer } from '../server/http/index.ts'
import { silentLog } from '../server/log.ts'
import { definePlugin, topic } from '../server/plugin.ts'
import { createTestHost, type TestHost } from '../server/testing/index.ts'

const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (executable === undefined) console.info('skipped: there is no Chromium to open GraphiQL in')

const Rang = topic('bell.rang', z.object({ times: z.int() }))
const bell = definePlugin({
  name: 'bell',
  version: '1.0.0',
  api: '^1.0.0',
  topics: [Rang],
  graphql: (builder) => builder.queryField('one', (t) => t.int({ resolve: () => 1 })),
})

describe.skipIf(executable === undefined)('GraphiQL in a browser', () => {
  let host: TestHost
  let server: HttpServer
  let browser: Browser
  let page: Page
  const elsewhere: string[] = []
  const errors: string[] = []

  beforeAll(async () => {
    host = await createTestHost({ plugins: [bell()] })
    server = await createHttpServer({ schema: host.schema, log: silentLog, port: 0 })
    browser = await chromium.launch({ executablePath: executable ?? '', args: ['--no-sandbox'] })
  })
  afterEach(async () => {
    await page.close()
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
    await host.stop()
  })

  async function open(document: string): Promise<void> {
    page = await browser.newPage()
    page.on('request', (request) => {
      const { protocol, host: asked } = new URL(request.url())
      if (protocol.startsWith('http') && asked !== new URL(server.url).host) elsewhere.push(request.url())
    })
    page.on('pageerror', (error) => errors.push(error.message))
    await page.addInitScript((text) => localStorage.setItem('graphiql:query', text), document)
    await page.goto(server.url)
    await page.locator('.graphiql-execute-button').click({ timeout: 30_000 })
  }
  const answer = () => page.locator('.result-window')

  it('runs a query, and fetches nothing from elsewhere', async () => {
    await open('{ network { name apiVersion } }')
    await expect.poll(() => answer().textContent()).toContain('"apiVersion"')
    expect({ elsewhere, errors }).toEqual({ elsewhere: [], errors: [] })
  })

  it('follows a subscription', async () => {
    await open('subscription { events(topics: ["bell.rang"]) { topic payload } }')
    let times = 0
    await expect
      .poll(
        async () => {
          await host.node.events.publish(host.sql('bell'), Rang, { times: ++times })
          return answer().textContent()
        },
        { timeout: 20_000, interval: 200 },
      )
      .toContain('"bell.rang"')
  })
})
