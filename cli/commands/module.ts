import { type Command, InvalidArgumentError } from 'commander'
import type { Client } from '../../client/index.ts'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { asking } from '../connection.ts'
import { signedByFile } from '../signed-by-file.ts'
import { columns, lines } from '../table.ts'

/** A version of a module, as the node shows it. */
interface ModuleVersion {
  readonly name: string
  readonly version: number
  readonly status: 'ACTIVE' | 'SCHEDULED' | 'ENDED' | 'UNUSED'
  readonly activeFrom: string | null
  readonly problem: string | null
}

const MODULES = `query Modules {
  network { rootHeight modules { name version status activeFrom problem } }
}`

/** A root height, or so many root blocks from now. */
interface Height {
  readonly value: number
  readonly isRelative: boolean
}

/** `deaios module list | activate | cancel` */
export function addModule(program: Command, streams: Streams): void {
  const module = program.command('module').description('the ledger modules that the network uses')
  addList(module, streams)
  addActivate(module, streams)
  addCancel(module, streams)
}

function addList(module: Command, streams: Streams): void {
  asking(
    module.command('list').description('all versions that the network knows or the node has'),
    streams,
    async (connect) => {
      const { modules, rootHeight } = await readModules(connect())
      const rows = modules.map(({ name, version, status, activeFrom, problem }) => [
        name,
        String(version),
        status,
        activeFrom ?? '',
        problem ?? '',
      ])
      return {
        json: { rootHeight, modules },
        text: columns([['module', 'version', 'status', 'from root height', 'problem of this node'], ...rows]),
      }
    },
  )
}

function addActivate(module: Command, streams: Streams): void {
  asking(
    signedByFile(
      module
        .command('activate')
        .description('add a module to the network, or switch to another version of it, from a root height on')
        .argument('<name>', 'of the module')
        .argument('<version>', 'a whole number', parseVersion)
        .requiredOption('--at <height>', 'a root height, or +N: N root blocks from now', parseHeight)
        .option('--force', 'even if this node could not execute it: nodes without it stop at that height')
        .option('--wait', 'end when the network uses it'),
    ),
    streams,
    async (connect, command) => {
      const [name, version] = command.processedArgs as [string, number]
      const options = command.opts<{ at: Height; keyFile: string; force?: true; wait?: true }>()
      const [{ readKeyFile }, { callRoot, eventually, rootHeight }] = await Promise.all([
        import('../key-file.ts'),
        import('../root-call.ts'),
      ])
      const keys = await readKeyFile(options.keyFile)
      const client = connect(keys)
      const before = await readModules(client)
      if (options.force === undefined) mustFit(before.modules, name, version)
      const at = options.at.isRelative ? before.rootHeight + options.at.value : options.at.value
      const call = { call: 'module.activate', args: { name, version, at }, to: keys.publicKey }
      const { id } = await callRoot(client, call)
      const reached = async (): Promise<number | undefined> => {
        const height = await rootHeight(client)
        return height >= at ? height : undefined
      }
      if (options.wait === true) await eventually(`root height ${at}`, WAIT_SECONDS, reached)
      const height = await rootHeight(client)
      return {
        json: { name, version, activeFrom: at, rootHeight: height, transaction: id },
        text: lines([
          ['module', `${name}, version ${version}`],
          ['used', height >= at ? `since root height ${at}` : `from root height ${at} on; it is ${height} now`],
          ['transaction', id],
        ]),
      }
    },
  )
}

function addCancel(module: Command, streams: Streams): void {
  asking(
    signedByFile(
      module
        .command('cancel')
        .description('take back what is scheduled for a module')
        .argument('<name>', 'of the module'),
    ),
    streams,
    async (connect, command) => {
      const [name] = command.processedArgs as [string]
      const [{ readKeyFile }, { callRoot, rootHeight }] = await Promise.all([
        import('../key-file.ts'),
        import('../root-call.ts'),
      ])
      const keys = await readKeyFile(command.opts<{ keyFile: string }>().keyFile)
      const client = connect(keys)
      const { id } = await callRoot(client, { call: 'module.withdraw', args: { name }, to: keys.publicKey })
      const height = await rootHeight(client)
      return {
        json: { name, rootHeight: height, transaction: id },
        text: lines([
          ['module', `${name} stays as it is at root height ${height}`],
          ['transaction', id],
        ]),
      }
    },
  )
}

/** At one root block a second, as in an idle network: about an hour of them. */
const WAIT_SECONDS = 3600

async function readModules(client: Client): Promise<{ modules: readonly ModuleVersion[]; rootHeight: number }> {
  const { document } = await import('../../client/index.ts')
  interface Modules {
    readonly network: { readonly rootHeight: string | null; readonly modules: readonly ModuleVersion[] | null }
  }
  const { network } = await client.request(document<Modules, object>(MODULES), {})
  if (network.modules === null || network.rootHeight === null)
    throw new CommandError('LEDGER_AWAY', 'the node has no ledger now: see `deaios status`')
  return { modules: network.modules, rootHeight: Number(network.rootHeight) }
}

/** Who lacks a version stops when the network begins to use it: so the node that is asked must have it. */
function mustFit(modules: readonly ModuleVersion[], name: string, version: number): void {
  const known = modules.filter((module) => module.name === name && module.version === version)
  const now = known.find(({ status }) => status === 'ACTIVE' || status === 'SCHEDULED')
  if (now !== undefined)
    throw new CommandError(
      'ALREADY_ACTIVE',
      `version ${version} of "${name}" is used from root height ${now.activeFrom} on`,
    )
  const problem = known.at(-1)?.problem
  if (known.length === 0)
    throw new CommandError(
      'MODULE_MISSING',
      `this node has no version ${version} of a ledger module "${name}": install its plugin, and start the node again; \`deaios module list\` shows what it has`,
    )
  if (problem != null) throw new CommandError('MODULE_UNFIT', problem)
}

function parseVersion(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A version is a whole number from 1.')
}

function parseHeight(text: string): Height {
  if (/^\+?[1-9]\d{0,13}$/.test(text)) return { value: Number(text), isRelative: text.startsWith('+') }
  throw new InvalidArgumentError('It must be a root height, or +N.')
}
