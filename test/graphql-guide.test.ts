import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, runNode, runShell } from '../server/testing/program.ts'
import { blocksOf, type MarkdownBlock } from './markdown-blocks.ts'

const root = new URL('../', import.meta.url).pathname
const blocks = blocksOf(await readFile(join(root, 'docs/graphql.md'), 'utf8'))

/** What stays the same from run to run: heights and times do not. */
const shape = (text: string): string =>
  text
    .replaceAll(/("rootHeight":")\d+/g, '$1#')
    .replaceAll(/("root":|"milliseconds":)\d+/g, '$1#')
    .replaceAll('}{"', '}\n{"')
    .trim()

/** Each command of the page, with what it is said to print. */
const examples = blocks.flatMap((block, index): { command: string; output: string }[] => {
  const next: MarkdownBlock | undefined = blocks[index + 1]
  return block.mark === 'run' ? [{ command: block.text, output: next?.text ?? 'nothing is said' }] : []
})

describe('docs/graphql.md', () => {
  let node: Program
  let data: string
  let url: string
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'deaios-docs-'))
    node = runNode([join(root, 'server/main.ts'), 'start', '--port', '0', '--data', data], { cwd: root })
    url = (await node.line('ready ')).slice('ready '.length)
  })
  afterAll(async () => {
    await node?.end('SIGINT')
    await rm(data, { recursive: true, force: true })
  })

  it('has examples', () => expect(examples.length).toBeGreaterThan(4))

  it.each(examples)('says what happens: $command', async ({ command, output }) => {
    const program = runShell(command.replaceAll('http://localhost:4000/graphql', url))
    await program.ended
    expect(shape(program.output.out)).toBe(shape(output))
  })
})
