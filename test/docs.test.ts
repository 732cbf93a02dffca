import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { runNode } from '../server/testing/program.ts'
import { blocksOf } from './markdown-blocks.ts'

const root = new URL('../', import.meta.url).pathname
const pages = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
const textOf = (page: string): Promise<string> => readFile(join(root, 'docs', page), 'utf8')

describe('the pages in docs/', () => {
  it('ask only for what the schema has', async () => {
    const schema = buildSchema(await readFile(join(root, 'schema/schema.graphql'), 'utf8'))
    let documents = 0
    for (const page of pages) {
      for (const { language, text } of blocksOf(await textOf(page))) {
        if (language !== 'graphql') continue
        documents++
        expect({ page, text, errors: validate(schema, parse(text)) }).toEqual({ page, text, errors: [] })
      }
    }
    expect(documents).toBeGreaterThan(2)
  })

  it('name files that are there', async () => {
    for (const page of pages) {
      for (const [, target = ''] of (await textOf(page)).matchAll(/\]\((?!http)([^)#]+)\)/g)) {
        const found = await readFile(join(root, 'docs', target)).catch(({ code }) => code)
        expect(found, `${page}: ${target}`).not.toBe('ENOENT')
      }
    }
  })

  it('show a sign-in and a light client that work', async () => {
    // Below the repository, so that the package's own name can be imported, as in a clone.
    await mkdir(join(root, '.vitest'), { recursive: true })
    const workspace = await mkdtemp(join(root, '.vitest', 'docs-'))
    const data = await mkdtemp(join(tmpdir(), 'deaios-docs-'))
    const node = runNode([join(root, 'server/main.ts'), 'start', '--port', '0', '--data', data], { cwd: root })
    try {
      const url = (await node.line('ready ')).slice('ready '.length)
      const run = async (page: string, name: string) => {
        const program = blocksOf(await textOf(page)).find(({ mark }) => mark === name)
        const file = join(workspace, name)
        await writeFile(file, (program?.text ?? '').replaceAll('http://localhost:4000/graphql', url))
        const running = runNode([file])
        await running.ended
        return running.output
      }
      expect(await run('identity.md', 'sign-in.ts')).toEqual({ out: "{ me: { kind: 'WALLET' } } true\n", err: '' })
      expect(await run('light-client.md', 'light.ts')).toEqual({ out: '100000000000n true true\n1\n', err: '' })
    } finally {
      await node.end('SIGINT')
      await rm(workspace, { recursive: true, force: true })
      await rm(data, { recursive: true, force: true })
    }
  })
})
