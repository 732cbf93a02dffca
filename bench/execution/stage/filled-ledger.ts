import { finished } from 'node:stream/promises'
import { BlockStore, type StoredTip } from '../../../plugins/execution/shard/block-store.ts'
import type { ShardSpace } from '../../../plugins/execution/shard/shard-space.ts'
import { takeOffice } from '../../../plugins/execution/testing.ts'
import { cellPath, compare, encode, encodeBody, encodeRootHeader, ZERO_HASH } from '../../../protocol/index.ts'
import { startEmbeddedPostgres } from '../../../server/db/embedded/supervisor.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../../../server/db/migrate.ts'
import { silentLog } from '../../../server/log.ts'
import { connect, connectStatements, type Sql } from '../../../server/plugin.ts'
import type { Bench } from '../../benchmark.ts'
import { type StageCell, stageCell, stageId } from './cells.ts'
import { copyRows } from './copy.ts'
import { FirstBlock, STAGE_EXPORTS } from './first-block.ts'

const MIGRATIONS = new URL('../../../plugins/execution/migrations/', import.meta.url)
/** Cells hashed and written together. */
const PART = 50_000
/** A cell's number must fit beside the first bits of its path. */
export const MAX_CELLS = 2 ** 24

/** A ledger of one shard that holds this many accounts, in a durable Postgres of its own; and a store over it. */
export async function filledLedger(bench: Bench, space: ShardSpace, cells: number): Promise<BlockStore> {
  const postgres = await startEmbeddedPostgres({ dataDir: bench.folder(), log: silentLog })
  bench.scope.defer(() => postgres.stop())
  const options = { ...postgres.options, searchPath: ['execution'] }
  const sql = connect(options, { max: 3 })
  bench.scope.defer(() => sql.end({ timeout: 1 }))
  const statements = connectStatements(options, { max: 3, applicationName: 'deaios bench' })
  bench.scope.defer(() => statements.end())
  await migrate(sql, CORE_SCHEMA, CORE_MIGRATIONS)
  await migrate(sql, 'execution', MIGRATIONS)
  await storeFirst(sql, space, await fill(sql, space, cells, bench))
  // As autovacuum would leave it; and the next checkpoint is not ours to wait for.
  await sql`VACUUM (ANALYZE) cell`
  await sql`CHECKPOINT`
  return new BlockStore(sql, statements, space, await takeOffice(sql))
}

/** Writes the cells in the order of their paths, which is that of the index. Gives the first block. */
async function fill(sql: Sql, space: ShardSpace, cells: number, bench: Bench): Promise<StoredTip> {
  const first = new FirstBlock(space)
  const order = numbersByPath(cells)
  const copy = await sql`COPY cell (realm, path, record) FROM STDIN (FORMAT binary)`.writable()
  const rows = copyRows(copy)
  let toldAt = performance.now()
  for (let from = 0; from < cells; from += PART) {
    const part = cellsOf(order.subarray(from, from + PART))
    first.add(part)
    await rows.write(part.map(({ path, record }) => [bigint(space.realm), path, record]))
    if (performance.now() - toldAt < 10_000) continue
    bench.say(`${from + part.length} of ${cells} cells written`)
    toldAt = performance.now()
  }
  rows.end()
  await finished(copy)
  return first.finish()
}

/** The numbers of all cells in the order of the first 40 bits of their paths, each below those bits. */
function numbersByPath(cells: number): BigUint64Array {
  const order = new BigUint64Array(cells)
  const view = new DataView(order.buffer)
  for (let number = 0; number < cells; number++) {
    const path = cellPath(stageId(number))
    const high = ((path[0]! << 24) | (path[1]! << 16) | (path[2]! << 8) | path[3]!) >>> 0
    view.setUint32(8 * number + 4, high, true)
    view.setUint32(8 * number, ((path[4]! << 24) | number) >>> 0, true)
  }
  return order.sort()
}

function cellsOf(order: BigUint64Array): StageCell[] {
  const part: StageCell[] = []
  for (const entry of order) part.push(stageCell(stageId(Number(entry & 0xffffffn))))
  // Nearly sorted: a few paths share their first 40 bits.
  return part.sort((a, b) => compare(a.path, b.path))
}

async function storeFirst(sql: Sql, space: ShardSpace, tip: StoredTip): Promise<void> {
  const none = new Uint8Array(0)
  await sql`INSERT INTO shard (id, realm, prefix) VALUES (${space.id}, ${space.realm}, ${space.prefix})`
  await sql`
    INSERT INTO block
      (shard, height, hash, header, body, receipts, outgoing, delta, tx_count, time, holdings, emitted, consumed)
    VALUES (${space.id}, 0, ${tip.hash}, ${tip.header}, ${encodeBody([])}, ${none}, ${none}, ${encode([])}, 0,
      ${new Date(0)}, ${String(tip.holdings)}, 0, 0)`
  await sql`
    INSERT INTO root_block (height, hash, header, votes, entries, time)
    VALUES (0, ${ZERO_HASH}, ${rootHeader()}, ${none}, ${encode([])}, ${new Date(0)})`
  for (const [key, value] of STAGE_EXPORTS)
    await sql`INSERT INTO export (key, since, value) VALUES (${key}, 0, ${value})`
}

/** The shard's first block names root block 0. */
const rootHeader = (): Uint8Array =>
  encodeRootHeader({
    height: 0,
    prevHash: ZERO_HASH,
    time: 0,
    headersRoot: ZERO_HASH,
    cellsRoot: ZERO_HASH,
    outRoot: ZERO_HASH,
    exportsRoot: ZERO_HASH,
    reveal: ZERO_HASH,
    random: ZERO_HASH,
    anchor: ZERO_HASH,
  })

function bigint(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
