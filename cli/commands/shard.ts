import { type Command, InvalidArgumentError } from 'commander'
import type { Client, KeyPair } from '../../client/index.ts'
import { CommandError } from '../../server/cli/command-error.ts'
import type { Streams } from '../../server/cli/output.ts'
import { asking } from '../connection.ts'
import { parseRealm } from '../numbers.ts'
import { signedByFile } from '../signed-by-file.ts'
import { columns, lines } from '../table.ts'

interface ShardNode {
  readonly id: string
  readonly realm: number | null
  readonly status: string
  readonly height: string
  readonly load: number
  readonly mempool: { readonly size: number }
  readonly basePrice: string
  readonly congestion: number
  readonly parent: { readonly id: string } | null
}

const SHARDS = `query Shards($after: Cursor) {
  shards(first: 100, after: $after) {
    edges { node { id realm status height load mempool { size } basePrice congestion parent { id } } }
    pageInfo { endCursor hasNextPage }
  }
}`

interface Split {
  readonly shard: {
    readonly children: readonly { readonly id: string; readonly status: string }[]
  } | null
}

const SPLIT = `query Split($id: String!) {
  shard(id: $id) { children { id status } }
}`

/** Splitting takes a few root blocks, and longer in a shard with many cells. */
const SPLIT_SECONDS = 300

/** `deaios shard list | split` */
export function addShard(program: Command, streams: Streams): void {
  const shard = program.command('shard').description('the shards of the network')
  addList(shard, streams)
  addSplit(shard, streams)
}

function addList(shard: Command, streams: Streams): void {
  asking(
    shard
      .command('list')
      .description('all shards, how they are and what they were split from')
      .option('--realm <number>', 'only those of one realm', parseRealm),
    streams,
    async (connect, command) => {
      const { realm } = command.opts<{ realm?: number }>()
      const shards = (await readShards(connect())).filter((node) => realm === undefined || node.realm === realm)
      const rows = shards.map(({ id, status, height, load, mempool, basePrice, congestion, parent }) => [
        id,
        status,
        height,
        `${Math.round(100 * load)} %`,
        String(mempool.size),
        basePrice,
        `${congestion} %`,
        parent?.id ?? '',
      ])
      const headings = ['shard', 'status', 'height', 'load', 'waiting', 'price', 'congestion', 'parent']
      return { json: { shards }, text: columns([headings, ...rows]) }
    },
  )
}

function addSplit(shard: Command, streams: Streams): void {
  asking(
    signedByFile(
      shard
        .command('split')
        .description('split a shard in two while it runs; ends when both halves make blocks')
        .argument('<id>', 'like 0:01', parseShard)
        .option('--no-wait', 'end as soon as the root chain has taken it'),
    ),
    streams,
    async (connect, command) => {
      const [id] = command.processedArgs as [string]
      const { keyFile, wait } = command.opts<{ keyFile: string; wait: boolean }>()
      const [{ readKeyFile }, { callRoot, eventually, rootHeight }] = await Promise.all([
        import('../key-file.ts'),
        import('../root-call.ts'),
      ])
      const keys = await readKeyFile(keyFile)
      const client = connect(keys)
      const value = await bondOf(client, id, keys)
      const info = await callRoot(client, { call: 'shard.split', args: { shard: id }, to: keys.publicKey, value })
      if (!wait) {
        const height = await rootHeight(client)
        return {
          json: { shard: id, transaction: info.id, rootHeight: height },
          text: `shard ${id} will be split; it is root height ${height} now`,
        }
      }
      const children = await eventually(`splitting shard ${id}`, SPLIT_SECONDS, () => runningChildren(client, id))
      const at = await firstCursor(client, children[0] ?? id)
      return {
        json: { shard: id, children, at, transaction: info.id },
        text: lines([
          ['split', `${id} into ${children.join(' and ')}`],
          ['at', `root height ${at}`],
          ['transaction', info.id],
        ]),
      }
    },
  )
}

/** What splitting a shard takes of who signs: the creator of its realm leaves a bond, as for the realm's first shards. */
async function bondOf(client: Client, id: string, keys: KeyPair): Promise<bigint> {
  const [{ genesisOf, readRealms, unitsOf }, { equal, parseShardId }] = await Promise.all([
    import('./realm.ts'),
    import('../../protocol/index.ts'),
  ])
  const { params, validators } = await genesisOf(client)
  if (validators.some((validator) => equal(validator, keys.publicKey))) return 0n
  const { realm } = parseShardId(id)
  const made = (await readRealms(client)).find(({ number }) => number === realm)
  return made?.creator?.address === keys.address ? unitsOf(params.realmBond) : 0n
}

/** The shard's children, once both run. */
async function runningChildren(client: Client, id: string): Promise<readonly string[] | undefined> {
  const { document } = await import('../../client/index.ts')
  const { shard } = await client.request(document<Split, object>(SPLIT), { id })
  const children = shard?.children ?? []
  // Somebody may have split one of them already.
  const isDone = children.length === 2 && children.every(({ status }) => status === 'RUNNING' || status === 'SPLIT')
  return isDone ? children.map((child) => child.id).sort() : undefined
}

const FIRST_BLOCK = `query FirstBlock($shard: String!) {
  blocks(shard: $shard, first: 1) { edges { node { rootCursor } } }
}`

/** The root height that a shard begins at. */
export async function firstCursor(client: Client, shard: string): Promise<number> {
  const { document } = await import('../../client/index.ts')
  interface Blocks {
    readonly blocks: { readonly edges: readonly { readonly node: { readonly rootCursor: string } }[] }
  }
  const { blocks } = await client.request(document<Blocks, object>(FIRST_BLOCK), { shard })
  const [first] = blocks.edges
  if (first === undefined) throw new CommandError('SHARD_UNKNOWN', `shard ${shard} has no block`)
  return Number(first.node.rootCursor)
}

/** All shards, page after page. */
async function readShards(client: Client): Promise<ShardNode[]> {
  const { document } = await import('../../client/index.ts')
  interface Page {
    readonly shards: {
      readonly edges: readonly { readonly node: ShardNode }[]
      readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
    }
  }
  const found: ShardNode[] = []
  for (let after: string | null = null; ; ) {
    const { shards }: Page = await client.request(document<Page, object>(SHARDS), { after })
    found.push(...shards.edges.map(({ node }) => node))
    if (!shards.pageInfo.hasNextPage) return found
    after = shards.pageInfo.endCursor
  }
}

function parseShard(text: string): string {
  if (/^\d{1,10}:[01]{0,64}$/.test(text)) return text
  throw new InvalidArgumentError('A shard is named by its realm and its bits, like 0:01.')
}
