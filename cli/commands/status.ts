import type { Command } from 'commander'
import type { Streams } from '../../server/cli/output.ts'
import { asking } from '../connection.ts'
import { lines } from '../table.ts'

interface Status {
  readonly network: {
    readonly id: string | null
    readonly name: string
    readonly kind: string | null
    readonly version: string
    readonly rootHeight: string | null
  }
  readonly plugins: readonly {
    readonly name: string
    readonly version: string
    readonly status: string
    readonly error: string | null
    readonly health: { readonly ok: boolean; readonly message: string | null } | null
  }[]
  readonly shards: {
    readonly edges: readonly {
      readonly node: {
        readonly id: string
        readonly status: string
        readonly height: string
        readonly load: number
        readonly mempool: { readonly size: number; readonly bytes: number }
      }
    }[]
  }
}

const STATUS = `query Status {
  network { id name kind version rootHeight }
  plugins { name version status error health { ok message } }
  shards(first: 100) { edges { node { id status height load mempool { size bytes } } } }
}`

/** `deaios status` */
export function addStatus(program: Command, streams: Streams): void {
  asking(
    program.command('status').description('print how a node, its plugins and its shards are doing'),
    streams,
    async (connect) => {
      const { document } = await import('../../client/index.ts')
      const { network, plugins, shards } = await connect().request(document<Status, object>(STATUS), {})
      const nodes = shards.edges.map(({ node }) => node)
      return {
        json: { network, plugins, shards: nodes },
        text: lines([
          [
            'network',
            `${network.name} (${network.kind?.toLowerCase() ?? 'unknown'}), root height ${network.rootHeight ?? 'unknown'}`,
          ],
          ['id', network.id ?? undefined],
          ['server', network.version],
          ...plugins.map(({ name, version, status, error, health }): [string, string] => [
            'plugin',
            [`${name} ${version}`, status, error ?? health?.message].filter((word) => word != null).join('  '),
          ]),
          ...nodes.map(({ id, status, height, load, mempool }): [string, string] => [
            'shard',
            `${id}  ${status}  height ${height}, load ${Math.round(100 * load)} %, ${mempool.size} waiting`,
          ]),
        ]),
      }
    },
  )
}
