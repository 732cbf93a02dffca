import type { Command } from 'commander'
import type { VerifyReport } from '../../plugins/execution/replay/index.ts'
import { atNode } from '../../server/cli/identity/key.ts'
import type { NodeFlags } from '../../server/cli/identity/node-database.ts'
import { answering, type Streams } from '../../server/cli/output.ts'
import { parseHeight } from '../numbers.ts'
import { lines } from '../table.ts'

/** Milliseconds between two lines about how far it is. */
const TELL_EVERY = 2_000

/** `deaios verify`: needs no node that runs, and none that is trusted: only its database. */
export function addVerify(program: Command, streams: Streams): void {
  const verify = atNode(
    program
      .command('verify')
      .description(
        'execute a node’s chain again, from where its database begins, and compare the stored blocks and cells with that',
      ),
  ).option('--from <height>', 'execute from this root height on; before it, compare without executing', parseHeight)
  answering(verify, streams, async (command) => {
    const flags = command.opts<NodeFlags & { readonly from?: number }>()
    // As in a shard's thread: before any ledger module is imported, what a call must not use is watched.
    const { guardDeterminism } = await import('../../plugins/execution/ledger/determinism.ts')
    guardDeterminism()
    // Loaded only here: the other commands start faster without it.
    const [{ loadConfig }, { loadPlugins }, { withNodeDatabase }, { configuredHosts, offeredModules, verifyDatabase }] =
      await Promise.all([
        import('../../server/config.ts'),
        import('../../server/host/load.ts'),
        import('../../server/cli/identity/node-database.ts'),
        import('../../plugins/execution/replay/index.ts'),
      ])
    const config = await loadConfig(flags)
    const { plugins } = await loadPlugins(config.plugins, config.file)
    const { freezeIntrinsics } = await import('../../plugins/execution/ledger/frozen-intrinsics.ts')
    freezeIntrinsics()
    const startedAt = performance.now()
    let told = startedAt
    const report = await withNodeDatabase(
      flags,
      (sql) =>
        verifyDatabase({
          sql,
          shardHosts: configuredHosts(plugins),
          offered: offeredModules(plugins),
          ...(flags.from === undefined ? {} : { from: flags.from }),
          onProgress: ({ rootHeight, last, transactions }) => {
            if (performance.now() - told < TELL_EVERY) return
            told = performance.now()
            streams.err.write(`root block ${rootHeight} of ${last}, ${transactions} transactions\n`)
          },
        }),
      'execution',
    )
    const seconds = (performance.now() - startedAt) / 1000
    return {
      json: { ...report, seconds },
      text: lines([
        ['network', `${report.name} 0x${Buffer.from(report.network).toString('hex')}`],
        ['root height', String(report.rootHeight)],
        ['blocks', String(report.blocks)],
        ['transactions', String(report.transactions)],
        ['verified', verified(report, flags.from !== undefined, seconds)],
      ]),
    }
  })
}

function verified({ from, snapshot }: VerifyReport, isFrom: boolean, seconds: number): string {
  const time = `in ${seconds.toFixed(1)} s`
  const begin = `the snapshot of root height ${snapshot} that the database began with, against its votes`
  if (snapshot === null && !isFrom) return `all of it, ${time}: every root, receipt, message, vote and coin`
  const after = `${time}: all of it after root height ${from}; the state there`
  if (snapshot === null) return `${after} and the root chain before`
  return from === snapshot ? `${after}, ${begin}` : `${after}; the root chain since ${begin}`
}
