import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, runNode, runShell } from '../server/testing/program.ts'
import { blocksOf, type MarkdownBlock } from './markdown-blocks.ts'

const root = new URL('../', import.meta.url).pathname
const guide = join(root, 'docs/plugins.md')
const main = join(root, 'server/main.ts')

let blocks: readonly MarkdownBlock[]
let workspace: string
let data: string
const programs: Program[] = []

beforeAll(async () => {
  blocks = blocksOf(await readFile(guide, 'utf8'))
  // Below the repository, so that the package's own name can be imported, as where it is installed.
  await mkdir(join(root, '.vitest'), { recursive: true })
  workspace = await mkdtemp(join(root, '.vitest', 'guide-'))
  data = await mkdtemp(join(tmpdir(), 'deaios-guide-'))
  for (const { language, mark, text } of blocks) {
    if (mark === '' || (language !== 'ts' && language !== 'sql')) continue
    await mkdir(dirname(join(workspace, mark)), { recursive: true })
    await writeFile(join(workspace, mark), text)
  }
})
afterAll(async () => {
  for (const { child, end } of programs) if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
  await rm(workspace, { recursive: true, force: true })
  await rm(data, { recursive: true, force: true })
})

/** Runs the lines of a block with this clone's programs. */
function shell(mark: 'run' | 'start', more = ''): Program {
  const text = blocks.find((block) => block.language === 'sh' && block.mark === mark)?.text ?? 'false'
  const node = `"${process.execPath}"`
  const here = text
    .replaceAll('npx deaios', `${node} "${main}"`)
    .replaceAll('npx vitest', `${node} "${join(root, 'node_modules/vitest/vitest.mjs')}"`)
    .trim()
  // A node is to get the signals that its shell gets.
  const program = runShell(mark === 'start' ? `exec ${here}${more}` : here, { cwd: workspace })
  programs.push(program)
  return program
}

const lines = (...names: readonly string[]): number =>
  blocks
    .filter(({ mark }) => names.includes(mark))
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.trim() !== '').length

describe('the guide for plugin authors', () => {
  it('has a whole plugin, with its test, in under 100 lines', () => {
    const files = ['ledger.ts', 'migrations/001-report.sql', 'plugin.ts', 'weather.test.ts']
    expect(blocks.filter(({ mark }) => files.includes(mark)).length).toBe(files.length)
    expect(lines(...files)).toBeLessThan(100)
  })

  it('has code that compiles', async () => {
    const config = { extends: '../../tsconfig.json', include: ['**/*.ts', '../../types/*.d.ts'] }
    await writeFile(join(workspace, 'tsconfig.json'), JSON.stringify(config))
    const check = runNode([join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: workspace })
    const { code } = await check.ended
    expect({ code, said: check.output.out }).toEqual({ code: 0, said: '' })
  })

  it('has commands that work: the checks, and the tests of its plugins', async () => {
    const program = shell('run')
    const { code } = await program.ended
    expect({ code, err: program.output.err }).toEqual({ code: 0, err: '' })
    expect(program.output.out).toContain('weather 1.0.0   ok')
    expect(program.output.out).toMatch(/Test Files .*2 passed/)
  }, 240_000)

  it('has plugins that all run in one node', async () => {
    await writeFile(
      join(workspace, 'deaios.config.ts'),
      `import { defineConfig } from 'deaios/config'
       import execution from 'deaios/plugins/execution'
       const names = ['weather', 'forecast', 'umbrella', 'postcards', 'page']
       export default defineConfig({
         plugins: [execution(), ...names.map((name) => './' + (name === 'weather' ? 'plugin' : name) + '.ts')],
       })`,
    )
    const node = shell('start', ` --port 0 --data "${data}"`)
    const url = (await node.line('ready ')).slice('ready '.length)
    const ask = async (query: string) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
      return await response.json()
    }
    expect(await ask('{ tomorrow(city: "Bern") { celsius takeAnUmbrella } warm(cities: ["Bern", "Oslo"]) }')).toEqual({
      data: { tomorrow: { celsius: 25, takeAnUmbrella: false }, warm: ['Bern'] },
    })
    expect(await ask('{ tomorrow(city: "Oslo") { celsius } }')).toMatchObject({
      errors: [{ extensions: { code: 'CITY_UNKNOWN' } }],
    })
    const post = (text: string) =>
      `mutation { postPostcard(to: "Ann", text: "${text}") { __typename ... on PostcardRefused { code } } }`
    expect(await ask(post('Hello'))).toEqual({ data: { postPostcard: { __typename: 'PostcardPosted' } } })
    expect(await ask(post('o'.repeat(501)))).toEqual({
      data: { postPostcard: { __typename: 'PostcardRefused', code: 'TOO_LONG' } },
    })
    const page = await fetch(new URL('/page/de', url))
    expect([page.status, await page.text()]).toEqual([200, 'Hallo!'])
    expect(await (await fetch(new URL('/page/fr', url))).json()).toMatchObject({
      errors: [{ extensions: { code: 'NO_SUCH_LANGUAGE' } }],
    })
    expect(await (await fetch(new URL('/metrics', url))).text()).toMatch(
      /deaios_pages_total\{(language="de",plugin="page"|plugin="page",language="de")\} 1/,
    )
    await node.end('SIGINT')
    expect(node.output).toMatchObject({ out: expect.stringMatching(/stopped\n$/), err: '' })
  })
})
