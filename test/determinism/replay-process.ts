/**
 * A process that executes an archived chain again: `replay-process.ts <archive> <as it is | other way round> [mood]`.
 * It prints what it found, and what it is like, as one line of JSON.
 */
import { readFile } from 'node:fs/promises'
import { getHeapStatistics } from 'node:v8'
import { guardDeterminism } from '../../plugins/execution/ledger/determinism.ts'

const [file = '', order] = process.argv.slice(2)

// As in a shard's thread: before any module is imported.
guardDeterminism()

const sources = [
  '../../plugins/execution/modules/account.ts',
  '../../plugins/execution/modules/faucet.ts',
  '../../plugins/execution/modules/asset.ts',
  '../../plugins/execution/fixtures/counter.ts',
  '../../plugins/execution/fixtures/counter-2.ts',
  '../../plugins/execution/fixtures/sly.ts',
  '../../plugins/execution/modules/module.ts',
  '../../plugins/execution/modules/realm.ts',
  '../../plugins/execution/modules/shard.ts',
  '../scenarios/modules/diary.ts',
  '../scenarios/modules/splitter.ts',
]
if (order === 'other way round') sources.reverse()
const { isLedgerModule } = await import('../../plugins/execution/ledger/module.ts')
const modules = []
for (const source of sources) {
  const exported: Record<string, unknown> = await import(source)
  modules.push(...Object.values(exported).filter(isLedgerModule))
}

const { openGenesis } = await import('../../plugins/execution/genesis.ts')
const { replayChain } = await import('../../plugins/execution/replay/index.ts')
const { chainInArchive, unpackArchive } = await import('../recorded-chain/archive.ts')
const { toHex } = await import('../../protocol/index.ts')

const archive = unpackArchive(await readFile(file))
const headers: Record<string, string> = {}
const report = await replayChain({
  network: openGenesis(archive.genesis),
  modules,
  chain: chainInArchive(archive),
  onBlock: ({ header, hash }) => {
    headers[`${header.shard} ${header.height}`] = toHex(hash)
  },
})
const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions()
const like = {
  locale,
  timeZone,
  sorted: ['ä', 'z', 'a'].sort((a, b) => a.localeCompare(b)).join(''),
  hour: new Date(0).getHours(),
  heapLimit: getHeapStatistics().heap_size_limit,
  modules: modules.map(({ name }) => name),
}
process.stdout.write(`${JSON.stringify({ report, headers, like })}\n`)
