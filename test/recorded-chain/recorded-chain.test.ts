import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openGenesis } from '../../plugins/execution/genesis.ts'
import { guardDeterminism } from '../../plugins/execution/ledger/determinism.ts'
import { SYSTEM_MODULES } from '../../plugins/execution/modules/system.ts'
import { ReplayMismatch, replayChain } from '../../plugins/execution/replay/index.ts'
import { decodeExportChanges, decodeModuleEntry, moduleKey } from '../../plugins/execution/root/exports.ts'
import { decodeBody, decodeHeader, decodeTransaction } from '../../protocol/index.ts'
import { type ChainArchive, chainInArchive, unpackArchive } from './archive.ts'
import { RECORDED } from './recorded.ts'

/** What is executed again must find the same guard as in a shard's thread: before any other module is imported. */
guardDeterminism()
const { laterModules, storyModules } = await import('./story-modules.ts')

const replay = (archive: ChainArchive) =>
  replayChain({
    network: openGenesis(archive.genesis),
    modules: [...storyModules, ...laterModules, ...SYSTEM_MODULES],
    chain: chainInArchive(archive),
  })

describe('a chain that was recorded', () => {
  it('is executed today as it was then: networks outlive versions of this program', async () => {
    const archive = unpackArchive(await readFile(RECORDED))
    const report = await replay(archive)
    expect(report.rootHeight).toBe(archive.roots.length - 1)
    expect(report.transactions).toBeGreaterThan(150)
    // It is one in which shards were split and a realm was made.
    const shards = new Set(archive.blocks.map(({ shard }) => shard))
    for (const shard of ['0:00', '0:01', '0:010', '1:00', '1:1']) expect(shards).toContain(shard)
    // And one in which a module changed, with blocks of both versions.
    const versions = archive.roots
      .flatMap(({ exports }) => decodeExportChanges(exports))
      .findLast(([key]) => key === moduleKey('counter'))?.[1]
    const from = decodeModuleEntry(versions!).find(([version]) => version === 2)![1]
    const callsOf = (isLater: boolean) =>
      archive.blocks
        .filter(({ header }) => decodeHeader(header).rootCursor >= from === isLater)
        .flatMap(({ body }) =>
          decodeBody(body).flatMap((wire) => decodeTransaction(wire).actions.map(({ call }) => call)),
        )
    expect(callsOf(false)).toContain('counter.bounceOff')
    expect(callsOf(true)).toContain('counter.reset')
    for (const isLater of [false, true]) expect(callsOf(isLater)).toContain('counter.add')
  })

  it('would not be if a rule had changed', async () => {
    const archive = unpackArchive(await readFile(RECORDED))
    const last = archive.blocks.findLast(({ receipts }) => receipts.length > 0)
    const blocks = archive.blocks.map((block) =>
      block === last ? { ...block, receipts: block.receipts.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) } : block,
    )
    await expect(replay({ ...archive, blocks })).rejects.toThrow(ReplayMismatch)
  })
})
