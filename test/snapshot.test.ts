import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../cli/testing.ts'
import { createClient, generateKeyPair } from '../client/index.ts'
import { type Program, runNode } from '../server/testing/program.ts'

const root = new URL('../', import.meta.url).pathname
const config = ['--config', join(root, 'deaios.config.ts')]

const snapshot = (...words: readonly string[]) => command('snapshot', ...words, '--json')

/** A node in this folder, and where it is. */
async function startNode(data: string): Promise<{ node: Program; url: string; keyFile: string }> {
  const node = runNode([join(root, 'server/main.ts'), 'start', '--port', '0', '--data', data, ...config], { cwd: root })
  const keyFile = (await node.line('operator key')).replace(/^.*operator key\s+/, '').trim()
  return { node, keyFile, url: (await node.line('ready ')).slice('ready '.length) }
}

describe('deaios snapshot', () => {
  let folder: string
  const file = (): string => join(folder, 'snapshot')
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deaios-snapshot-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('carries a network from one folder to another, while its node runs', { timeout: 240_000 }, async () => {
    const { address } = generateKeyPair()
    const from = join(folder, 'from')
    const to = join(folder, 'to')
    const first = await startNode(from)
    const client = createClient({ url: first.url })
    await client.faucet(address)
    const balance = (await client.account(address))?.balance
    await client.close()
    const exported = await snapshot('export', file(), '--data', from, ...config)
    expect(exported).toMatchObject({ code: 0, err: '' })
    await first.node.end('SIGINT')
    expect((await snapshot('export', file(), '--data', from, ...config)).err).toMatch(/EEXIST/)
    const checked = await snapshot('check', file())
    expect(JSON.parse(checked.out)).toEqual(JSON.parse(exported.out))
    expect((await snapshot('check', file(), '--network', `0x${'00'.repeat(32)}`)).err).toMatch(/^OTHER_NETWORK: /)
    expect((await snapshot('check', join(root, 'package.json'))).err).toMatch(/^NOT_A_SNAPSHOT: /)
    expect((await snapshot('import', file(), '--data', from, ...config)).err).toMatch(/^NOT_EMPTY: /)

    expect(await snapshot('import', file(), '--data', to, ...config)).toMatchObject({ code: 0 })
    const keyFile = first.keyFile.replace(from, to)
    await mkdir(dirname(keyFile), { recursive: true })
    await copyFile(first.keyFile, keyFile)
    const second = await startNode(to)
    const other = createClient({ url: second.url })
    expect(balance).toBeGreaterThan(0n)
    expect((await other.account(address))?.balance).toEqual(balance)
    await other.faucet(generateKeyPair().address)
    await other.close()
    // What was made since is executed again, from what the validators had signed on.
    const verified = await command('verify', '--data', to, ...config)
    const { rootHeight } = JSON.parse(exported.out)
    expect(verified).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining(`snapshot of root height ${rootHeight}`),
    })
    await second.node.end('SIGINT')
  })
})
