import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chainInDatabase } from '../../plugins/execution/replay/index.ts'
import { encodeGenesis } from '../../protocol/index.ts'
import { runNode } from '../../server/testing/program.ts'
import { archiveOf, type ChainArchive, packArchive } from '../recorded-chain/archive.ts'
import { tellStory } from '../recorded-chain/story.ts'
import { newSeed } from '../scenarios/random.ts'

const Found = z.object({
  report: z.object({ rootHeight: z.int(), blocks: z.int(), transactions: z.int() }),
  headers: z.record(z.string(), z.string()),
  like: z.object({
    locale: z.string(),
    timeZone: z.string(),
    sorted: z.string(),
    hour: z.int(),
    heapLimit: z.int(),
    modules: z.array(z.string()),
  }),
})

let folder: string
let file: string
let archive: ChainArchive

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-determinism-'))
  file = join(folder, 'chain')
  const net = await tellStory(newSeed())
  try {
    await net.chain.stop()
    const shards = await net.sql<{ id: string }[]>`SELECT id FROM shard ORDER BY id`
    const ids = shards.map(({ id }) => id)
    archive = await archiveOf(encodeGenesis(net.network.genesis), chainInDatabase(net.sql), ids)
  } finally {
    await net.close()
  }
  await writeFile(file, packArchive(archive))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Executes the chain in a process of its own. */
async function replayedBy(options: {
  readonly node: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly order: string
}) {
  const script = new URL('./replay-process.ts', import.meta.url).pathname
  const program = runNode([...options.node, script, file, options.order], { env: { ...process.env, ...options.env } })
  expect(await program.ended, program.output.err).toEqual({ code: 0, signal: null })
  return Found.parse(JSON.parse(program.output.out))
}

describe('two processes that have little in common', () => {
  it('make the same of the same blocks', async () => {
    const [one, other] = await Promise.all([
      replayedBy({
        node: ['--max-old-space-size=256', '--max-semi-space-size=1'],
        env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'sv_SE.UTF-8', LANG: 'sv_SE.UTF-8' },
        order: 'as it is',
      }),
      replayedBy({
        node: ['--max-old-space-size=2048', '--max-lazy', '--no-opt', '--random-seed=7', '--hash-seed=11'],
        env: { TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
        order: 'other way round',
      }),
    ])
    // Otherwise it would say nothing.
    for (const key of ['locale', 'timeZone', 'sorted', 'hour', 'heapLimit'] as const)
      expect(one.like[key], key).not.toEqual(other.like[key])
    expect(one.like.modules).toEqual(other.like.modules.toReversed())

    expect(one.headers).toEqual(other.headers)
    expect(one.report).toEqual(other.report)
    const stored = archive.blocks.filter(({ height }) => height > 0)
    expect(one.headers).toEqual(
      Object.fromEntries(
        stored.map(({ shard, height, hash }) => [`${shard} ${height}`, `0x${Buffer.from(hash).toString('hex')}`]),
      ),
    )
    expect(one.report.transactions).toBeGreaterThan(200)
  })
})
