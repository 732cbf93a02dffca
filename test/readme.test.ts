import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, generateKeyPair } from '../client/index.ts'
import { type Program, runNode, runShell, until } from '../server/testing/program.ts'
import { blocksOf, type MarkdownBlock } from './markdown-blocks.ts'

const root = new URL('../', import.meta.url).pathname
const main = join(root, 'server/main.ts')

let blocks: readonly MarkdownBlock[]
let parent: string
let workspace: string
let data: string
let node: Program
let url: string
const live: Program[] = []

beforeAll(async () => {
  blocks = blocksOf(await readFile(join(root, 'README.md'), 'utf8'))
  // Below the repository, so that the package's own name can be imported, as in a clone.
  await mkdir(join(root, '.vitest'), { recursive: true })
  parent = await mkdtemp(join(root, '.vitest', 'readme-'))
  workspace = join(parent, 'deaios')
  await mkdir(workspace)
  data = await mkdtemp(join(tmpdir(), 'deaios-readme-'))
  for (const { language, mark, text } of blocks) {
    if (language === 'ts') await writeFile(join(workspace, mark), text)
  }
  node = runNode([main, 'start', '--port', '0', '--data', data], { cwd: workspace })
  url = (await node.line('ready ')).slice('ready '.length)
  const program = join(workspace, 'pay.ts')
  await writeFile(program, here(await readFile(program, 'utf8')))
})
afterAll(async () => {
  for (const program of live) if (program.child.exitCode === null) await program.end('SIGKILL')
  await node?.end('SIGINT')
  await rm(parent, { recursive: true, force: true })
  await rm(data, { recursive: true, force: true })
})

/** The same text for this clone and this node. */
const here = (text: string): string =>
  text
    .replaceAll('http://localhost:4000/graphql', url)
    .replaceAll('npm run -s deaios --', `"${process.execPath}" "${main}"`)

/** What stays the same from run to run. */
const shape = (text: string): string =>
  text
    .replaceAll(/0x[0-9a-f]{64}/g, '0x#')
    .replaceAll(/(block +|"height":")\d+/g, '$1#')
    .trim()

/** Starts a subscription, and sees to it that it is open. */
async function subscribe(text: string): Promise<void> {
  const program = shell(`exec ${text}`)
  live.push(program)
  const client = createClient({ url })
  await until(async () => {
    await client.faucet(generateKeyPair().address)
    return program.output.out !== ''
  }, 'the subscription prints what happens')
  await client.close()
}

function shell(text: string): Program {
  return runShell(here(text), { cwd: workspace, env: { ...process.env, DEAIOS_URL: url, DEAIOS_DATA: data } })
}

describe('the README', () => {
  it('says what happens', async () => {
    for (const [index, { language, mark, text }] of blocks.entries()) {
      if (language !== 'sh') continue
      if (mark === 'live') await subscribe(text)
      if (mark !== 'run') continue
      const program = shell(text)
      const { code } = await program.ended
      expect({ text, code, err: program.output.err }).toEqual({ text, code: 0, err: '' })
      const next = blocks[index + 1]
      if (next?.language === 'text' && next.mark === '') expect(shape(program.output.out)).toBe(shape(next.text))
    }
  })

  it('shows what its subscription printed', async () => {
    const [subscription] = live
    const expected = blocks.find(({ mark, language }) => mark === 'live' && language === 'text')
    expect(shape((await subscription?.line('"value":"1500000000"')) ?? '')).toBe(
      shape(expected?.text ?? 'no such block'),
    )
  })

  it('has a program that pays', async () => {
    const program = runNode([join(workspace, 'pay.ts')])
    await program.ended
    const expected = blocks.find(({ mark, language }) => mark === 'pay.ts' && language === 'text')
    expect(program.output).toEqual({ out: expected?.text, err: '' })
  })

  it('names folders and files that are there', async () => {
    const text = await readFile(join(root, 'README.md'), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!http)([^)#]+)\)/g)) {
      await expect(
        readFile(join(root, target)).catch(({ code }) => code),
        target,
      ).resolves.not.toBe('ENOENT')
    }
  })
})
