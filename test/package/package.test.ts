import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from '../../build/build-package.ts'
import { pluginManifest } from '../../server/cli/plugin/plugin-manifest.ts'
import { createTestDatabase, type TestDatabase } from '../../server/testing/index.ts'
import { type Program, runNode } from '../../server/testing/program.ts'
import { install, pack, runIn } from './project.ts'

const examples = new URL('../../examples/', import.meta.url).pathname

let folder: string
/** Where plugins are written. */
let workshop: string
/** Where they are used: a project that has nothing but packages. */
let project: string
let database: TestDatabase
let node: Program | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-package-'))
  workshop = join(folder, 'workshop')
  project = join(folder, 'project')
  await mkdir(workshop)
  await buildPackage(join(folder, 'dist'))
  const deaios = await pack(join(folder, 'dist'), folder)
  await install(workshop, [deaios], ['vitest', 'typescript', '@types/node'])

  const journal = join(workshop, 'journal')
  await cp(join(examples, 'journal'), journal, { recursive: true })
  await writeFile(join(journal, 'package.json'), pluginManifest('journal'))
  const journalArchive = await pack(journal, folder)
  await install(workshop, [journalArchive])
  const authors = join(workshop, 'authors')
  await cp(join(examples, 'authors'), authors, { recursive: true })
  await writeFile(join(authors, 'package.json'), pluginManifest('authors', { 'deaios-journal': '^1.0.0' }))
  await install(project, [deaios, journalArchive, await pack(authors, folder)])

  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  await writeFile(
    join(project, 'deaios.config.ts'),
    `import { defineConfig } from 'deaios/config'
     import execution from 'deaios/plugins/execution'
     export default defineConfig({ plugins: ['deaios-authors', 'deaios-journal', execution()] })`,
  )
  database = await createTestDatabase()
}, 240_000)

afterAll(async () => {
  if (node?.child.exitCode === null) await node.end('SIGKILL')
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

const main = (at: string): string => join(at, 'node_modules/deaios/server/main.js')

/** What a user of the network writes. */
const PROGRAM = `
import { action, cellId, createClient, document, generateKeyPair } from 'deaios/client'
const key = generateKeyPair()
const client = createClient({ url: process.argv[2], key })
await client.faucet(key.address)
const live = client.subscribe(document('subscription { journalWritten { number text } }'), {})
const first = live.next()
for (const text of ['Hello', 'Bye']) {
  const to = cellId('journal', key.publicKey, new Uint8Array())
  const { status } = await client.send([action({ to, call: 'journal.write', args: { text }, value: 10_000n })])
  console.log(status)
}
console.log(JSON.stringify((await first).value))
const query = document(\`{ journalEntries(last: 1) { edges { node { number text authorEntries author { journalEntries } } } } }\`)
for (;;) {
  const { journalEntries: { edges: [last] } } = await client.request(query, {})
  if (last?.node.authorEntries === 2 && last.node.number === 2) {
    console.log(JSON.stringify(last.node))
    break
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
}
await client.close()
`

describe('the published package', () => {
  it('runs plugins of third parties in a project that has nothing else', async () => {
    const { host, user, database: name } = database.options
    const url = `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}`
    const env = { PATH: process.env.PATH, DATABASE_URL: url }
    node = runNode([main(project), 'start', '--port', '0'], { cwd: project, env })
    const graphql = (await node.line('ready ')).slice('ready '.length)
    expect(node.output.out).toContain('plugins        execution 1.0.0, journal 1.0.0, authors 1.0.0')
    await writeFile(join(project, 'user.ts'), PROGRAM)
    const reader = runNode([join(project, 'user.ts'), graphql])
    await reader.ended
    expect(reader.output).toEqual({
      out: [
        'EXECUTED',
        'EXECUTED',
        '{"journalWritten":{"number":1,"text":"Hello"}}',
        '{"number":2,"text":"Bye","authorEntries":2,"author":{"journalEntries":2}}',
        '',
      ].join('\n'),
      err: '',
    })
    await node.end('SIGINT')
    expect(node.output).toMatchObject({ out: expect.stringMatching(/stopped\n$/), err: '' })
  })

  it('says what is wrong with plugins, and that nothing is', async () => {
    expect(await runIn(project, process.execPath, [main(project), 'plugin', 'doctor'])).toBe(
      'execution 1.0.0   ok\njournal 1.0.0   ok\nauthors 1.0.0   ok\n',
    )
    const broken = join(project, 'broken.config.ts')
    await writeFile(broken, "export default { plugins: ['deaios-authors', 'deaios-none'] }")
    const program = runNode([main(project), 'plugin', 'doctor', '--json', '--config', broken], { cwd: project })
    expect(await program.ended).toMatchObject({ code: 1 })
    const { ok, problems } = JSON.parse(program.output.out)
    expect([ok, problems.map(({ code, plugin }: Record<string, string>) => `${code} ${plugin}`)]).toEqual([
      false,
      ['NOT_FOUND deaios-none', 'DEPENDENCY_MISSING authors', 'DEPENDENCY_MISSING authors'],
    ])
    expect(program.output.err).toMatch(/^PLUGINS_INVALID: 3 problems\n/)
  })

  it('writes a plugin that compiles, passes its test, and is not overwritten', async () => {
    const own = join(workshop, 'solar_wind')
    const write = () => runIn(workshop, process.execPath, [main(workshop), 'plugin', 'new', 'solar_wind', '--json'])
    expect(JSON.parse(await write())).toMatchObject({ folder: own, files: expect.arrayContaining(['src/ledger.ts']) })
    await runIn(own, 'tsc', ['-p', '.'])
    expect(await runIn(own, process.execPath, [main(workshop), 'plugin', 'doctor'])).toContain('solar_wind 1.0.0   ok')
    // Its contract is that of the example which it is a copy of, and tested there.
    const said = await runIn(own, 'vitest', ['run', '-t', 'an entry'])
    expect(said).toMatch(/Tests .*[1-9]\d* passed/)
    const before = await readFile(join(own, 'src/plugin.ts'), 'utf8')
    expect(before).not.toMatch(/journal/i)
    await expect(write()).rejects.toThrow('FOLDER_NOT_EMPTY')
    expect(await readFile(join(own, 'src/plugin.ts'), 'utf8')).toBe(before)
  }, 240_000)
})
