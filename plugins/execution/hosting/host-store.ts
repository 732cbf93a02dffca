import { decodeHeader, equal, parseShardId, toHex } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import { type Network, openGenesis } from '../genesis.ts'
import { foundShard } from '../genesis-store.ts'
import type { ShardAssignment } from './messages.ts'

export type HostErrorCode =
  /** Leader and shard host are of releases that do not understand each other. */
  | 'WRONG_PROTOCOL'
  /** The database belongs to a node: it holds a root chain. */
  | 'NOT_A_HOST_DATABASE'
  /** The database belongs to another network. */
  | 'WRONG_NETWORK'
  /** Blocks that the root chain lists are not there: it is not the shard's database, or an old copy of it. */
  | 'STATE_LOST'

/** A shard host, or its database, cannot serve the leader that came. */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostErrorCode

  constructor(code: HostErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What a leader was let in with: its network, and what writes to the host's database are held to for it. */
export interface Office {
  readonly network: Network
  readonly fence: Fence
}

/** What a shard host keeps for itself, beside the shards. */
export class HostStore {
  readonly #sql: Sql
  readonly #lease: string

  /** `sql`: the plugin's schema in the host's database; `lease`: of the job that makes the blocks. */
  constructor(sql: Sql, lease: string) {
    this.#sql = sql
    this.#lease = lease
  }

  /**
   * Lets a leader take office: whatever was begun for another, or over an earlier connection, is refused from then on.
   * @param document the network's genesis document
   * @param leader the leader's fence in its own database
   * @throws HostError; FENCED (DF001) for an older leader than the last; the database's error
   */
  async takeOffice(document: Uint8Array, leader: bigint): Promise<Office> {
    const network = openGenesis(document)
    const fence = await this.#sql.begin(async (tx) => {
      const [root] = await tx<{ there: boolean }[]>`SELECT EXISTS (SELECT FROM root_block) AS there`
      if (root?.there === true)
        throw new HostError(
          'NOT_A_HOST_DATABASE',
          'this database is a node’s own, with a root chain in it: give the shard host another one',
        )
      await tx`INSERT INTO genesis (network, document) VALUES (${network.id}, ${document}) ON CONFLICT DO NOTHING`
      const [stored] = await tx<{ network: Uint8Array }[]>`SELECT network FROM genesis`
      if (stored === undefined || !equal(stored.network, network.id))
        throw new HostError(
          'WRONG_NETWORK',
          `this database holds shards of another network than ${toHex(network.id)}: give the shard host another one`,
        )
      const [row] = await tx<{ fence: bigint }[]>`SELECT take_host_office(${this.#lease}, ${leader}) AS fence`
      if (row === undefined) throw new TypeError('take_host_office answered without a row')
      return row.fence
    })
    return { network, fence: { lease: this.#lease, fence } }
  }

  /**
   * Sees to it that a shard can start: one of the genesis document is founded here the first time.
   * @returns the root height that its last block had taken in, or its first one will
   * @throws HostError if what the root chain lists of it is not there
   */
  async open(network: Network, { shard, listed, from }: ShardAssignment, fence: Fence): Promise<number> {
    return this.#sql.begin(async (tx) => {
      await tx`SELECT core.check_fence(${fence.lease}, ${fence.fence})`
      const tipOf = () => tx<{ height: bigint; header: Uint8Array }[]>`
        SELECT height, header FROM block WHERE shard = ${shard} ORDER BY height DESC LIMIT 1`
      let [tip] = await tipOf()
      if (tip === undefined && (listed?.height ?? 0) === 0 && network.genesis.shards.includes(shard)) {
        await foundShard(tx, network, parseShardId(shard))
        tip = (await tipOf())[0]
      }
      if (listed !== null) {
        const [known] = await tx<{ hash: Uint8Array }[]>`
          SELECT hash FROM block WHERE shard = ${shard} AND height = ${listed.height}`
        if (known === undefined || !equal(known.hash, listed.hash))
          throw new HostError(
            'STATE_LOST',
            `block ${listed.height} of shard ${shard}, which the root chain lists, is not in this database: ` +
              'it is another one, or an old copy; give the shard host the one that it had',
          )
      }
      if (tip !== undefined) return decodeHeader(tip.header).rootCursor
      if (from !== null) return from
      throw new HostError(
        'STATE_LOST',
        `shard ${shard} has no block in this database, where its parent left its first one: it is another database, or an old copy`,
      )
    })
  }
}
