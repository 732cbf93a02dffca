import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chainInDatabase, verifyDatabase } from '../../plugins/execution/replay/index.ts'
import { decodeExportChanges } from '../../plugins/execution/root/exports.ts'
import { importSnapshot, readSnapshot, writeSnapshot } from '../../plugins/execution/snapshot/index.ts'
import { createTestChain, type TestChain } from '../../plugins/execution/testing.ts'
import { encodeGenesis } from '../../protocol/index.ts'
import { runNode } from '../../server/testing/program.ts'
import { archiveOf, type ChainArchive, packArchive } from '../recorded-chain/archive.ts'
import { tellStory } from '../recorded-chain/story.ts'
import { laterModules, storyModules } from '../recorded-chain/story-modules.ts'
import { newSeed, Random } from '../scenarios/random.ts'

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
let net: TestChain
let goesOnFrom: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-determinism-'))
  file = join(folder, 'chain')
  net = await tellStory(newSeed())
  await net.chain.stop()
  const shards = await net.sql<{ id: string }[]>`SELECT id FROM shard ORDER BY id`
  const ids = shards.map(({ id }) => id)
  archive = await archiveOf(encodeGenesis(net.network.genesis), chainInDatabase(net.sql), ids)
  await writeFile(file, packArchive(archive))
  goesOnFrom = new Random(newSeed()).pick([...splitHeights(), archive.roots.length - 1])
})
afterAll(async () => {
  await net.close()
  await rm(folder, { recursive: true, force: true })
})

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
    // The first block of a shard follows from what came before: it is compared, and not executed.
    const stored = archive.blocks.filter(({ shard, height }) =>
      archive.blocks.some((other) => other.shard === shard && other.height < height),
    )
    expect(one.headers).toEqual(
      Object.fromEntries(
        stored.map(({ shard, height, hash }) => [`${shard} ${height}`, `0x${Buffer.from(hash).toString('hex')}`]),
      ),
    )
    expect(one.report.transactions).toBeGreaterThan(150)
  })
})

describe('a chain in which shards split and realms begin', () => {
  it('can be verified from any height on, and put into a snapshot there', async () => {
    const last = archive.roots.length - 1
    const random = new Random(newSeed())
    const splits = splitHeights()
    const heights = [
      0,
      last,
      goesOnFrom,
      ...Array.from({ length: 6 }, (_, i) => (i < 4 ? random.pick(splits) : random.below(last))),
    ]
    for (const height of new Set(heights)) {
      const offered = [...net.modules, ...laterModules]
      const verified = await verifyDatabase({ sql: net.sql, offered, from: height })
      expect(verified, `from ${height}`).toMatchObject({ rootHeight: last, from: height })
      const path = join(folder, `snapshot-${height}`)
      await writeSnapshot({ sql: net.sql, path, height })
      expect(await readSnapshot(path, { network: net.network.id })).toMatchObject({ rootHeight: height })
    }
  })

  it('goes on from a snapshot of the moment in which a shard is split', async () => {
    const height = goesOnFrom
    const path = join(folder, `snapshot-${height}`)
    const copy = await createTestChain({
      modules: storyModules,
      offered: laterModules,
      async found(sql) {
        await importSnapshot({ sql, path })
        return net.network
      },
    })
    try {
      expect((await copy.settled()).total).toBe(net.network.supply)
      const living = copy.chain.shards().filter(({ id, status }) => id.startsWith('0:') && status === 'RUNNING')
      expect(living.length, `at root height ${height}`).toBeGreaterThan(1)
      await copy.split(living.at(-1)?.id ?? '')
      await copy.settled()
      expect(copy.chain.health()).toEqual({ ok: true })
      await copy.restart()
      expect((await copy.settled()).total).toBe(net.network.supply)
      await copy.chain.stop()
      const { sql } = copy
      const offered = [...copy.modules, ...laterModules]
      expect(await verifyDatabase({ sql, offered })).toMatchObject({ from: height, snapshot: height })
      await verifyDatabase({ sql, offered, from: height + 1 })
      await writeSnapshot({ sql: copy.sql, path: join(folder, 'again') })
      await readSnapshot(join(folder, 'again'), { network: net.network.id })
    } finally {
      await copy.close()
    }
  })
})

/** Root heights at which a shard's children are about to begin, or have just begun. */
const splitHeights = (): number[] =>
  archive.roots
    .filter(({ exports }) => decodeExportChanges(exports).some(([key]) => key.startsWith('shard/0:0')))
    .flatMap(({ height }) => [0, 1, 2, 3, 4, 5].map((more) => height + more))
    .filter((height) => height > 0 && height < archive.roots.length)
