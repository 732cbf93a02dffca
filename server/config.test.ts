import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'
import { DEFAULT_LIMITS } from './graphql/limits.ts'

let folder = ''
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deaios-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes a config file; each under a new name, since a module is loaded once. */
function write(text: string): string {
  const file = join(folder, `config-${++count}.ts`)
  writeFileSync(file, text)
  return file
}

describe('the config', () => {
  it('has a default for everything but the plugins', async () => {
    const file = write('export default { plugins: [] }')
    expect(await loadConfig({ config: file }, {})).toEqual({
      file,
      plugins: [],
      port: 4000,
      hostname: '127.0.0.1',
      dataDir: join(folder, '.deaios'),
      databaseUrl: undefined,
      logLevel: 'info',
      limits: DEFAULT_LIMITS,
      origins: [],
      identity: { keystoreKeyFile: undefined },
      keystoreKey: undefined,
      documents: undefined,
      peers: {},
      metrics: { enabled: true, token: undefined },
      tracing: undefined,
    })
  })

  it('lays limits over the defaults, and finds documents beside the file', async () => {
    const config = write(
      "export default { plugins: [], limits: { depth: 7, timeoutSeconds: 2.5 }, origins: ['https://app.example'], documents: { trusted: 'documents.json', only: true } }",
    )
    const { limits, origins, documents } = await loadConfig({ config }, {})
    expect(limits).toEqual({ ...DEFAULT_LIMITS, depth: 7, timeoutSeconds: 2.5 })
    expect(origins).toEqual(['https://app.example'])
    expect(documents).toEqual({ trusted: join(folder, 'documents.json'), only: true })
  })

  it.each([
    ['limits: { deep: 3 }', 'deep'],
    ['limits: { depth: 0 }', 'limits.depth'],
    ['limits: { cost: 1.5 }', 'limits.cost'],
    ['limits: { bodyBytes: 1e12 }', 'limits.bodyBytes'],
    ["origins: ['app.example']", 'write it like https://app.example'],
    ["origins: ['https://app.example/path']", 'write it like https://app.example'],
    ['documents: { only: true }', 'documents.trusted'],
  ])('refuses %s, and says where', async (key, told) => {
    const config = write(`export default { plugins: [], ${key} }`)
    await expect(loadConfig({ config }, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(told),
    })
  })

  it('takes the secret of /metrics and where traces go from the environment too', async () => {
    const config = write(
      "export default { plugins: [], metrics: { token: 'from the file, 16' }, tracing: { endpoint: 'http://a:4318', sampleRatio: 0.5 } }",
    )
    expect(await loadConfig({ config }, {})).toMatchObject({
      metrics: { enabled: true, token: 'from the file, 16' },
      tracing: { endpoint: 'http://a:4318', sampleRatio: 0.5 },
    })
    const environment = {
      DEAIOS_METRICS_TOKEN: 'from outside',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b:4318',
      OTEL_SERVICE_NAME: 'node-7',
    }
    expect(await loadConfig({ config }, environment)).toMatchObject({
      metrics: { token: 'from outside' },
      tracing: { endpoint: 'http://b:4318', sampleRatio: 0.5, serviceName: 'node-7' },
    })
    await expect(loadConfig({ config }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).rejects.toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT is "collector", and must be a URL like http://localhost:4318',
    )
  })

  it('says where other nodes reach this one', async () => {
    const config = write(
      `export default { plugins: [], peers: { hostname: '10.0.0.4', port: 4100, url: 'wss://node-4.internal/peer' } }`,
    )
    expect((await loadConfig({ config }, {})).peers).toEqual({
      hostname: '10.0.0.4',
      port: 4100,
      url: 'wss://node-4.internal/peer',
    })
    const wrong = write(`export default { plugins: [], peers: { url: 'http://node-4.internal/' } }`)
    await expect(loadConfig({ config: wrong }, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('peers'),
    })
  })

  it('is overridden by the environment, and that by flags', async () => {
    const config = write(
      "export default { plugins: ['./x.ts'], port: 1, dataDir: 'here', databaseUrl: 'postgres://file', hostname: '::1' }",
    )
    const environment = { DEAIOS_PORT: '2', DEAIOS_DATA: '/env', DATABASE_URL: 'postgres://env' }
    expect(await loadConfig({ config }, {})).toMatchObject({
      port: 1,
      dataDir: join(folder, 'here'),
      databaseUrl: 'postgres://file',
    })
    expect(await loadConfig({ config }, environment)).toMatchObject({
      port: 2,
      dataDir: '/env',
      databaseUrl: 'postgres://env',
    })
    expect(await loadConfig({ config, port: 0, data: '/flag', host: '0.0.0.0' }, environment)).toMatchObject({
      port: 0,
      dataDir: '/flag',
      hostname: '0.0.0.0',
      plugins: ['./x.ts'],
    })
  })

  it.each([
    ['export default { plugins: [], prot: 1 }', 'prot: there is no such key; did you mean port?'],
    ['export default { plugins: [], port: 70000 }', 'port: Too big: expected number to be <=65535'],
    ['export default { port: 1 }', 'plugins: Invalid input: expected array, received undefined'],
    ['export default { plugins: [function execution() {}] }', 'plugins[0]: is a plugin factory that was not called'],
    ['export default { plugins: [{ name: "x" }] }', 'plugins[0]: is neither a plugin nor the path'],
    ['export default 5', 'expected object'],
    ['export const config = {}', 'has no default export; write export default defineConfig'],
  ])('is refused with the place of the mistake: %s', async (text, expected) => {
    const config = write(text)
    await expect(loadConfig({ config }, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(expected),
    })
    await expect(loadConfig({ config }, {})).rejects.toThrow(config)
  })

  it('is refused if the file cannot be read', async () => {
    await expect(loadConfig({ config: join(folder, 'none.ts') }, {})).rejects.toMatchObject({ code: 'CONFIG_MISSING' })
    await expect(loadConfig({ config: write("throw new Error('no luck')") }, {})).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: expect.stringContaining('no luck'),
    })
  })

  it('is refused if the environment is wrong', async () => {
    const config = write('export default { plugins: [] }')
    await expect(loadConfig({ config }, { DEAIOS_PORT: '40x' })).rejects.toThrow(
      'DEAIOS_PORT is "40x", and must be a number from 0 to 65535',
    )
  })
})
