import { type Command, InvalidArgumentError } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Genesis } from '../../protocol/index.ts'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { formatDea } from '../amount.ts'
import { asking } from '../connection.ts'
import { signedByFile } from '../signed-by-file.ts'
import { columns, lines } from '../table.ts'

interface RealmNode {
  readonly number: number
  readonly name: string
  readonly since: string
  readonly creator: { readonly address: string } | null
  readonly shards: readonly { readonly id: string; readonly status: string }[]
}

const REALMS = `query Realms($after: Cursor) {
  realms(first: 100, after: $after) {
    edges { node { number name since creator { address } shards { id status } } }
    pageInfo { endCursor hasNextPage }
  }
}`

/** Starting shards takes a few root blocks, and longer on a busy machine. */
const CREATE_SECONDS = 300
/** What a realm's cell on the root chain takes at most, in bytes; what is not needed comes back. */
const CELL_BYTES = 1024n

/** `deaios realm list | create` */
export function addRealm(program: Command, streams: Streams): void {
  const realm = program.command('realm').description('address spaces with shards of their own')
  asking(realm.command('list').description('all realms, and who made them'), streams, async (connect) => {
    const realms = await readRealms(connect())
    const rows = realms.map(({ number, name, since, creator, shards }) => [
      String(number),
      name,
      since,
      shards.map(({ id }) => id).join(' '),
      creator?.address ?? '',
    ])
    return { json: { realms }, text: columns([['realm', 'name', 'since root height', 'shards', 'creator'], ...rows]) }
  })
  addCreate(realm, streams)
}

function addCreate(realm: Command, streams: Streams): void {
  asking(
    signedByFile(
      realm
        .command('create')
        .description('make a realm; its bond is paid by whose key signs. Ends when its shards make blocks')
        .argument('<name>', 'a-z, 0-9 and -', parseName)
        .option('--shards <number>', '1, 2, 4, 8 ...', parseShards, 1),
    ),
    streams,
    async (connect, command) => {
      const [name] = command.processedArgs as [string]
      const { keyFile, shards: count } = command.opts<{ keyFile: string; shards: number }>()
      const [{ readKeyFile }, { callRoot, eventually }, { cellId }, { firstCursor }] = await Promise.all([
        import('../key-file.ts'),
        import('../root-call.ts'),
        import('../../client/index.ts'),
        import('./shard.ts'),
      ])
      const keys = await readKeyFile(keyFile)
      const client = connect(keys)
      const { bond, deposit } = await priceOf(client, count)
      const to = cellId('realm', keys.publicKey, new TextEncoder().encode(name))
      const args = { name, shards: count }
      const { id } = await callRoot(client, { call: 'realm.create', args, to, value: bond + deposit })
      const made = await eventually(`starting realm "${name}"`, CREATE_SECONDS, async () => {
        const found = (await readRealms(client)).find(
          (other) => other.name === name && other.creator?.address === keys.address,
        )
        const isRunning = found?.shards.length === count && found.shards.every(({ status }) => status === 'RUNNING')
        return isRunning ? found : undefined
      })
      const shards = made.shards.map((shard) => shard.id)
      const from = await firstCursor(client, shards[0] ?? '')
      return {
        json: { realm: made.number, name, shards, from, bond, transaction: id },
        text: lines([
          ['realm', `${made.number}  ${name}`],
          ['shards', shards.join(' ')],
          ['from', `root height ${from}`],
          ['bond', formatDea(bond)],
          ['transaction', id],
        ]),
      }
    },
  )
}

/** What a realm of so many shards takes: its bond, and more than enough for the deposit of its cell. */
async function priceOf(client: Client, shards: number): Promise<{ bond: bigint; deposit: bigint }> {
  const { realmBond, depositPerByte } = (await genesisOf(client)).params
  return { bond: unitsOf(realmBond) * BigInt(shards), deposit: unitsOf(depositPerByte) * CELL_BYTES }
}

/** What the network was founded with. Throws CommandError LEDGER_AWAY */
export async function genesisOf(client: Client): Promise<Genesis> {
  const [{ document, fromHex }, { decodeGenesis }] = await Promise.all([
    import('../../client/index.ts'),
    import('../../protocol/index.ts'),
  ])
  const query = document<{ readonly network: { readonly genesis: string | null } }, object>(
    'query Genesis { network { genesis } }',
  )
  const { network } = await client.request(query, {})
  if (network.genesis === null) throw new CommandError('LEDGER_AWAY', 'the node has no ledger now: see `deaios status`')
  return decodeGenesis(fromHex(network.genesis))
}

/** An amount of the genesis document. */
export function unitsOf(value: unknown): bigint {
  if (typeof value === 'bigint' || typeof value === 'number') return BigInt(value)
  throw new CommandError('NO_REALMS', 'this network was founded without a bond for realms: it cannot have new ones')
}

/** All realms, page after page. */
export async function readRealms(client: Client): Promise<RealmNode[]> {
  const { document } = await import('../../client/index.ts')
  interface Page {
    readonly realms: {
      readonly edges: readonly { readonly node: RealmNode }[]
      readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
    }
  }
  const found: RealmNode[] = []
  for (let after: string | null = null; ; ) {
    const { realms }: Page = await client.request(document<Page, object>(REALMS), { after })
    found.push(...realms.edges.map(({ node }) => node))
    if (!realms.pageInfo.hasNextPage) return found
    after = realms.pageInfo.endCursor
  }
}

function parseName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) return text
  throw new InvalidArgumentError('A name is of a-z, 0-9 and -, at most 32.')
}

function parseShards(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (count >= 1 && Number.isInteger(Math.log2(count))) return count
  throw new InvalidArgumentError('It must be 1, 2, 4, 8 ...')
}
