import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../cli/testing.ts'
import { createClient, generateKeyPair } from '../client/index.ts'
import { withNodeDatabase } from '../server/cli/identity/node-database.ts'
import { type Program, runNode } from '../server/testing/program.ts'

const root = new URL('../', import.meta.url).pathname
const flags = ['--config', join(root, 'deaios.config.ts')]

const verify = (data: string, ...more: readonly string[]) =>
  command('verify', '--json', '--data', data, ...flags, ...more)

describe('deaios verify', () => {
  let data: string
  let node: Program
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'deaios-verify-'))
    node = runNode([join(root, 'server/main.ts'), 'start', '--port', '0', '--data', data, ...flags], { cwd: root })
    const client = createClient({ url: (await node.line('ready ')).slice('ready '.length) })
    for (let i = 0; i < 5; i++) await client.faucet(generateKeyPair().address)
    await client.close()
  })
  afterAll(async () => {
    if (node.child.exitCode === null) await node.end('SIGINT')
    await rm(data, { recursive: true, force: true })
  })

  it('finds a running node’s chain in order, and a stopped one’s', async () => {
    const running = await verify(data)
    expect(running).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(running.out)).toMatchObject({ name: 'deaios', transactions: 5, from: 0 })
    const late = await verify(data, '--from', String(JSON.parse(running.out).rootHeight))
    expect(late).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(late.out)).toMatchObject({ transactions: 0, from: JSON.parse(running.out).rootHeight })
    expect((await verify(data, '--from', '1000000')).err).toMatch(/^NO_SUCH_HEIGHT: /)
    await node.end('SIGINT')
    expect(await verify(data)).toMatchObject({ code: 0 })
  })

  it('says where a chain was changed', async () => {
    await withNodeDatabase(
      { data, config: join(root, 'deaios.config.ts') },
      (sql) => sql`UPDATE block SET delta = delta || '\\x00' WHERE shard = '0:0' AND height = 1`,
      'execution',
    )
    expect(await verify(data)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^REPLAY_MISMATCH: shard 0:0, block 1: /),
    })
  })

  it('says so where there is nothing', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'deaios-verify-'))
    expect((await verify(empty)).err).toMatch(/^(NO_NETWORK|DATA)/)
    await rm(empty, { recursive: true, force: true })
  })
})
