import { encode, ROOT_REALM, ROOT_SHARD } from '../../../protocol/index.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import type { Sql, Transaction } from '../../../server/plugin.ts'
import { type ExportChange, encodeExportChanges } from '../root/exports.ts'
import { RootView } from '../root/root-view.ts'
import { lengths, list } from '../shard/packed.ts'
import { shardSpace } from '../shard/shard-space.ts'
import { SnapshotError } from './errors.ts'
import { type ReadSnapshotOptions, readSnapshot, type SnapshotReport } from './read-snapshot.ts'
import { encodeSection, type SectionName } from './sections.ts'
import type {
  CutShard,
  SentBlock,
  ShardBlock,
  SnapshotCell,
  SnapshotHead,
  SnapshotRoot,
  SnapshotVisitor,
} from './visitor.ts'

const MIGRATIONS = new URL('../migrations/', import.meta.url)
const SCHEMA = 'execution'

export interface ImportSnapshotOptions extends Omit<ReadSnapshotOptions, 'visitor'> {
  /** A pool whose search_path is the schema of the execution plugin. */
  readonly sql: Sql
  readonly path: string
}

/**
 * Brings a snapshot into a database without a network: a node goes on from there. All or nothing: it is checked while
 * it is written, and what is wrong with it leaves the database as it was.
 * @throws SnapshotError, NOT_EMPTY among others; the system's and the connection's errors
 */
export async function importSnapshot({ sql, path, ...options }: ImportSnapshotOptions): Promise<SnapshotReport> {
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
  await migrate(sql, SCHEMA, MIGRATIONS)
  return sql.begin(async (tx) => {
    // As founding a network does: only one of both happens.
    await tx`SELECT pg_advisory_xact_lock(hashtext('execution.genesis'))`
    const [found] = await tx<{ network: Uint8Array }[]>`SELECT network FROM genesis`
    if (found !== undefined)
      throw new SnapshotError(
        'NOT_EMPTY',
        'this database has a network already: name an empty folder with --data, or another database',
      )
    return readSnapshot(path, { ...options, visitor: new SnapshotImport(tx) })
  })
}

class SnapshotImport implements SnapshotVisitor {
  readonly #tx: Transaction
  #head: SnapshotHead | undefined
  #view = RootView.EMPTY
  #before: SnapshotRoot | undefined
  #kept = 0

  constructor(tx: Transaction) {
    this.#tx = tx
  }

  async head(head: SnapshotHead): Promise<void> {
    const { network, document, from, exports } = head
    this.#head = head
    await this.#tx`INSERT INTO genesis (network, document) VALUES (${network.id}, ${document})`
    await this.#tx`INSERT INTO imported (height) VALUES (${head.height})`
    await this.#exports(exports, from)
  }

  async root(root: SnapshotRoot): Promise<void> {
    const { header, hash, encoded, encodedEntries, entries, exports, outgoing } = root
    const isFirst = this.#before === undefined
    const brings = entries.length > 0 || exports.length > 0 || (this.#before?.outgoing.length ?? 0) > 0
    await this.#tx`
      INSERT INTO root_block (height, hash, header, votes, entries, time, outgoing, exports, brings)
      VALUES (${header.height}, ${hash}, ${encoded}, '', ${encodedEntries}, ${new Date(header.time)}, ${outgoing},
        ${encodeExportChanges(exports)}, ${brings})`
    if (entries.length > 0)
      await this.#tx`
        INSERT INTO root_entry SELECT shard, height, ${header.height}
        FROM unnest(${entries.map(({ shard }) => shard)}::text[], ${entries.map(({ height }) => height)}::int8[])
          AS entry (shard, height)`
    // Those of the first are among what the head has.
    if (!isFirst) await this.#exports(exports, header.height)
    this.#view = isFirst ? RootView.EMPTY.with(this.#head?.exports ?? []) : this.#view.with(exports)
    this.#before = root
  }

  async sent({ header, encoded, hash, outgoing }: SentBlock): Promise<void> {
    // The last blocks come whole.
    if (this.#head?.shards.some((shard) => Buffer.compare(shard.hash, hash) === 0)) return
    await this.#tx`
      INSERT INTO imported_block (shard, height, header, outgoing)
      VALUES (${header.shard}, ${header.height}, ${encoded}, ${outgoing})`
  }

  async votes(votes: Uint8Array, { header }: SnapshotRoot, totals: ShardBlock['totals']): Promise<void> {
    const { holdings, emitted, consumed } = totals
    await this.#ended()
    await this.#tx`
      UPDATE root_block SET votes = ${votes}, holdings = ${String(holdings)}, emitted = ${String(emitted)},
        consumed = ${String(consumed)} WHERE height = ${header.height}`
  }

  async rootCells(cells: readonly SnapshotCell[]): Promise<void> {
    await this.#keep(ROOT_SHARD, 'root-cells', [cells.map(({ record }) => record)])
    await this.#cells(ROOT_REALM, cells)
  }

  async shard({ space, header, encoded, hash }: CutShard, block: ShardBlock): Promise<void> {
    const { holdings, emitted, consumed } = block.totals
    const parent = this.#view.shards.get(space.id)?.parent ?? null
    await this.#tx`
      INSERT INTO shard (id, realm, prefix, parent, folded)
      VALUES (${space.id}, ${space.realm}, ${space.prefix}, ${parent}, ${header.height})`
    // Wherever it lived before, it lives with the node now.
    await this.#tx`INSERT INTO shard_home (shard) VALUES (${space.id})`
    await this.#tx`
      INSERT INTO block
        (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
      VALUES (${space.id}, ${header.height}, ${hash}, ${encoded}, ${block.body}, ${block.receipts}, ${block.outgoing},
        ${encode([])}, ${header.txCount}, ${new Date(header.time)}, ${String(holdings)}, ${String(emitted)},
        ${String(consumed)})`
  }

  async cells({ space }: CutShard, cells: readonly SnapshotCell[]): Promise<void> {
    await this.#keep(space.id, 'cells', [cells.map(({ record }) => record)])
    await this.#cells(space.realm, cells)
  }

  async deferred({ space }: CutShard, messages: readonly { key: Uint8Array; encoded: Uint8Array }[]): Promise<void> {
    const rows = messages.map(({ key, encoded }) => ({ shard: space.id, key, message: encoded }))
    await this.#keep(space.id, 'deferred', [messages.map(({ key, encoded }) => [key, encoded] as const)])
    await this.#tx`INSERT INTO deferred ${this.#tx(rows, 'shard', 'key', 'message')}`
  }

  /** Keeps it as it came: whoever verifies what the ledger makes of it must begin with it. */
  async #keep<N extends SectionName>(
    shard: string,
    name: N,
    items: Parameters<typeof encodeSection<N>>[1],
  ): Promise<void> {
    this.#kept++
    await this.#tx`
      INSERT INTO imported_state (shard, number, name, section)
      VALUES (${shard}, ${this.#kept}, ${name}, ${encodeSection(name, items)})`
  }

  /** Shards that were split, as far as something is left of them: their names. */
  async #ended(): Promise<void> {
    const living = this.#head?.shards.map(({ space }) => space.id) ?? []
    for (const [id, { parent }] of this.#view.shards) {
      if (!living.some((other) => other !== id && other.startsWith(id))) continue
      const { realm, prefix } = shardSpace(id)
      await this.#tx`INSERT INTO shard (id, realm, prefix, parent) VALUES (${id}, ${realm}, ${prefix}, ${parent})`
    }
  }

  async #cells(realm: number, cells: readonly SnapshotCell[]): Promise<void> {
    const { starts, lengths: sizes } = lengths(cells.map(({ record }) => record))
    await this.#tx`
      INSERT INTO cell (realm, path, record)
      SELECT ${realm}, substring(${Buffer.concat(cells.map(({ path }) => path))}::bytea from (32 * i - 31)::int for 32),
        substring(${Buffer.concat(cells.map(({ record }) => record))}::bytea from start for length)
      FROM unnest(${list(starts)}::text::int[], ${list(sizes)}::text::int[]) WITH ORDINALITY AS row (start, length, i)`
  }

  async #exports(changes: readonly ExportChange[], since: number): Promise<void> {
    for (const [key, value] of changes)
      await this.#tx`INSERT INTO export (key, since, value) VALUES (${key}, ${since}, ${value})`
  }
}
