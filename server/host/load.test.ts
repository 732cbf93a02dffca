import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runNode } from '../testing/program.ts'
import { loadPlugins } from './load.ts'

const authorApi = new URL('../plugin.ts', import.meta.url).pathname
const definition = "{ name: 'weather', version: '1.0.0', api: '^1.0.0' }"
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deaios-load-'))
  write('plugin.ts', `import { definePlugin } from '${authorApi}'\nexport default definePlugin(${definition})`)
  write('other.ts', 'export default 5')
  write('broken.ts', "throw new Error('no luck')")
  install('deaios-weather', { exports: { '.': { import: './dist/main.js' } }, deaios: { api: '^1.0.0' } })
  write(
    'node_modules/deaios-weather/dist/main.js',
    `export default { kind: 'plugin', definition: ${definition}, config: {}, options: {} }`,
  )
  install('deaios-old', { main: 'main.js', deaios: { api: '^0.3.0' } })
  write('node_modules/deaios-old/main.js', "throw new Error('must not run')")
  install('deaios-source', { exports: './main.ts' })
  write('node_modules/deaios-source/main.ts', '')
  install('deaios-unbuilt', { exports: './dist/main.js' })
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

const install = (name: string, fields: object) =>
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', type: 'module', ...fields }))

const load = (name: string) => loadPlugins([name], join(folder, 'deaios.config.ts'))

describe('a plugin that is listed by name', () => {
  it.each(['./plugin.ts', 'deaios-weather'])('is loaded: %s', async (name) => {
    const { plugins, problems } = await load(name)
    expect(problems).toEqual([])
    expect(plugins.map((plugin) => plugin.definition.name)).toEqual(['weather'])
  })

  it.each([
    ['./none.ts', 'NOT_FOUND', 'there is no', 'correct the path'],
    ['./other.ts', 'NOT_A_PLUGIN', 'has no plugin as default export', 'write export default definePlugin'],
    ['./broken.ts', 'NOT_A_PLUGIN', 'cannot be loaded: no luck', 'correct'],
    ['@acme/none', 'NOT_FOUND', 'is not installed', 'run npm install @acme/none'],
    ['deaios-old', 'API_RANGE', 'needs plugin API ^0.3.0, and this server offers 1.0.0', 'install a version that fits'],
    ['deaios-source', 'NOT_BUILT', 'ships TypeScript (./main.ts) only', 'build it to JavaScript'],
    ['deaios-unbuilt', 'NOT_BUILT', 'ships no ./dist/main.js', 'build it before publishing it'],
  ])('is refused with the reason: %s', async (name, code, problem, mend) => {
    const { plugins, problems } = await load(name)
    expect(plugins).toEqual([])
    expect(problems).toEqual([
      { plugin: name, code, problem: expect.stringContaining(problem), mend: expect.stringContaining(mend) },
    ])
  })
})

describe('a second copy of graphql', () => {
  it('is found, with who brought it in', async () => {
    const ours = dirname(new URL(import.meta.resolve('graphql')).pathname)
    for (const place of ['app', 'app/node_modules/deaios-weather']) write(`${place}/package.json`, '{"type":"module"}')
    mkdirSync(join(folder, 'app/node_modules/deaios-weather/node_modules'), { recursive: true })
    symlinkSync(ours, join(folder, 'app/node_modules/graphql'))
    install('../app/node_modules/deaios-weather/node_modules/graphql', { exports: './index.js' })
    write('app/node_modules/deaios-weather/node_modules/graphql/index.js', 'export const version = 1')
    write('app/node_modules/deaios-weather/index.js', "import 'graphql'")
    write(
      'app/main.js',
      `import { watchCopies } from '${new URL('./copies.ts', import.meta.url).pathname}'
      const copies = watchCopies()
      await import('graphql')
      await import('graphql/language/index.js').catch(() => undefined)
      console.log(copies.problems().length)
      await import('./node_modules/deaios-weather/index.js')
      console.log(JSON.stringify(copies.problems()))`,
    )
    const program = runNode([join(folder, 'app/main.js')])
    expect(await program.line('')).toBe('0')
    const plugin = join(folder, 'app/node_modules/deaios-weather')
    expect(JSON.parse(await program.line('['))).toEqual([
      {
        plugin: `${plugin}/index.js`,
        code: 'SECOND_COPY',
        problem: `loads a second copy of graphql from ${plugin}/node_modules/graphql, and the server uses ${ours}`,
        mend: 'make graphql a peer dependency of the plugin, and run npm dedupe',
      },
    ])
  })
})
