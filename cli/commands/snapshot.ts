import { type Command, InvalidArgumentError } from 'commander'
import type { configuredHosts } from '../../plugins/execution/replay/index.ts'
import type { SnapshotReport } from '../../plugins/execution/snapshot/index.ts'
import { atNode } from '../../server/cli/identity/key.ts'
import type { NodeFlags } from '../../server/cli/identity/node-database.ts'
import { type Answer, answering, type Streams } from '../../server/cli/output.ts'
import { parseHeight } from '../numbers.ts'
import { lines } from '../table.ts'

/** Milliseconds between two lines about how far it is. */
const TELL_EVERY = 2_000

/** `deaios snapshot export | import | check`: needs no node that runs. */
export function addSnapshot(program: Command, streams: Streams): void {
  const snapshot = program.command('snapshot').description('what the network is at one root height, in a file')
  addExport(snapshot, streams)
  addImport(snapshot, streams)
  addCheck(snapshot, streams)
}

function addExport(snapshot: Command, streams: Streams): void {
  const command = atNode(
    snapshot
      .command('export')
      .argument('<file>', 'the file to make; there must be none')
      .description('write it from a node’s database, and those of its shard hosts, and check it; they may run'),
  ).option('--height <height>', 'the root height that it is to be of (default the last)', parseHeight)
  answering(command, streams, async () => {
    const [path = ''] = command.args
    const { height, ...flags } = command.opts<NodeFlags & { readonly height?: number }>()
    const { readSnapshot, writeSnapshot } = await import('../../plugins/execution/snapshot/index.ts')
    const { withNodeDatabase } = await import('../../server/cli/identity/node-database.ts')
    const shardHosts = await shardHostsOf(flags)
    const onProgress = telling(streams, 'written')
    await withNodeDatabase(
      flags,
      (sql) => writeSnapshot({ sql, shardHosts, path, onProgress, ...(height === undefined ? {} : { height }) }),
      'execution',
    )
    return answer(await readSnapshot(path, { onProgress: telling(streams, 'checked') }), 'written and checked', path)
  })
}

function addImport(snapshot: Command, streams: Streams): void {
  const command = atNode(
    snapshot
      .command('import')
      .argument('<file>', 'as `snapshot export` wrote it')
      .description('bring it into an empty data folder or database: `deaios start` goes on from there'),
  ).option('--network <id>', 'refuse one of another network', parseNetwork)
  answering(command, streams, async () => {
    const [path = ''] = command.args
    const { network, ...flags } = command.opts<NodeFlags & { readonly network?: Uint8Array }>()
    const { importSnapshot } = await import('../../plugins/execution/snapshot/index.ts')
    const { withNodeDatabase } = await import('../../server/cli/identity/node-database.ts')
    const report = await withNodeDatabase(
      flags,
      (sql) =>
        importSnapshot({
          sql,
          path,
          onProgress: telling(streams, 'imported'),
          ...(network === undefined ? {} : { network }),
        }),
      'execution',
    )
    return answer(report, 'imported', path)
  })
}

function addCheck(snapshot: Command, streams: Streams): void {
  const command = snapshot
    .command('check')
    .argument('<file>', 'as `snapshot export` wrote it')
    .description('compare all that it says with the votes in it')
    .option('--network <id>', 'refuse one of another network', parseNetwork)
  answering(command, streams, async () => {
    const [path = ''] = command.args
    const { network } = command.opts<{ readonly network?: Uint8Array }>()
    const { readSnapshot } = await import('../../plugins/execution/snapshot/index.ts')
    const report = await readSnapshot(path, {
      onProgress: telling(streams, 'checked'),
      ...(network === undefined ? {} : { network }),
    })
    return answer(report, 'good', path)
  })
}

/** Where the node's configuration says that shards may live. */
async function shardHostsOf(flags: NodeFlags): Promise<ReturnType<typeof configuredHosts>> {
  const [{ loadConfig }, { loadPlugins }, { configuredHosts }] = await Promise.all([
    import('../../server/config.ts'),
    import('../../server/host/load.ts'),
    import('../../plugins/execution/replay/index.ts'),
  ])
  const config = await loadConfig({ ...flags })
  return configuredHosts((await loadPlugins(config.plugins, config.file)).plugins)
}

/** Tells now and then how many cells have passed. */
function telling(streams: Streams, done: string): (cells: number) => void {
  let told = performance.now()
  return (cells) => {
    if (performance.now() - told < TELL_EVERY) return
    told = performance.now()
    streams.err.write(`${cells} cells ${done}\n`)
  }
}

const answer = (report: SnapshotReport, state: string, file: string): Answer => ({
  json: { ...report, file },
  text: lines([
    ['file', `${file}: ${state}`],
    ['network', `${report.name} ${hex(report.network)}`],
    ['root height', String(report.rootHeight)],
    ['root hash', hex(report.rootHash)],
    ['shards', String(report.shards)],
    ['cells', String(report.cells)],
  ]),
})

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

function parseNetwork(text: string): Uint8Array {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return Buffer.from(text.slice(2), 'hex')
  throw new InvalidArgumentError('It must be the id of a network: 0x and 64 hex digits.')
}
