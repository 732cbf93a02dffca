import type { Command } from 'commander'
import { CommandError } from '../command-error.ts'
import { answering, type Streams } from '../output.ts'

/** `deaios plugin ...`: for authors of plugins. */
export function addPlugin(program: Command, streams: Streams): void {
  const plugin = program.command('plugin').description('write plugins, and check those of deaios.config.ts')
  addNew(plugin, streams)
  addDoctor(plugin, streams)
}

function addNew(plugin: Command, streams: Streams): void {
  const command = plugin
    .command('new')
    .argument('<name>', 'a-z, 0-9 and _, like solar_wind')
    .description('write a plugin that works: ledger module, table, types, subscription, jobs and a test')
    .option('--in <folder>', 'where to; a new folder of its name if absent')
  answering(command, streams, async (asked) => {
    const { newPlugin } = await import('./new-plugin.ts')
    const [name = ''] = asked.args
    const folder = asked.opts<{ in?: string }>().in ?? name
    const made = await newPlugin(name, folder)
    const text = [
      `wrote ${made.files.length} files to ${folder}`,
      '',
      `  cd ${folder}`,
      '  npm install',
      '  npm test         # a node, a ledger and a Postgres of its own',
      '  npm start        # the plugin in a running network',
    ].join('\n')
    return { json: made, text }
  })
}

function addDoctor(plugin: Command, streams: Streams): void {
  const command = plugin
    .command('doctor')
    .description('check the plugins of deaios.config.ts as a start does, without starting anything')
    .option('--config <file>', 'the config file (default deaios.config.ts)')
  answering(command, streams, async (asked) => {
    // The watch must come before GraphQL.
    const { watchCopies } = await import('../../host/copies.ts')
    const copies = watchCopies()
    const { diagnose } = await import('./doctor.ts')
    const { config, json } = asked.opts<{ config?: string; json?: boolean }>()
    const { plugins, problems } = await diagnose({ config }, copies)
    const answer = { ok: problems.length === 0, plugins, problems }
    if (answer.ok)
      return { json: answer, text: plugins.map(({ name, version }) => `${name} ${version}   ok`).join('\n') }
    if (json === true) streams.out.write(`${JSON.stringify(answer)}\n`)
    const lines = problems.map(
      ({ plugin: name, code, problem, mend }) =>
        `  ${code} plugin "${name}": ${problem}${mend === '' ? '' : `; ${mend}`}`,
    )
    const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`
    throw new CommandError('PLUGINS_INVALID', [count, ...lines].join('\n'))
  })
}
