import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { cellPath, shardOf } from '../../../protocol/index.ts'
import type { Sql } from '../../../server/plugin.ts'
import type { Fence } from '../fence.ts'
import type { ModuleSource } from '../ledger/load-modules.ts'
import { describe, type RunningMessage } from './running.ts'
import { shardSpace } from './shard-space.ts'

/** A message that a shard cannot run, and why. */
export interface Poison {
  readonly running: RunningMessage
  /** `ran for more than 5 s`. */
  readonly why: string
}

/**
 * Remembers that a message stopped a shard, over all restarts, as long as the modules are the same: with others it may
 * be run, so the shard tries again.
 */
export class HaltStore {
  readonly #sql: Sql
  readonly #shard: string
  readonly #fence: Fence

  constructor(sql: Sql, shard: string, fence: Fence) {
    this.#sql = sql
    this.#shard = shard
    this.#fence = fence
  }

  /** Why the shard must not run with these modules; undefined if it may. */
  async reason(modules: readonly ModuleSource[]): Promise<string | undefined> {
    const [row] = await this.#sql<{ modules: Uint8Array; reason: string }[]>`
      SELECT modules, reason FROM halt WHERE shard = ${this.#shard}`
    if (row === undefined) return undefined
    return Buffer.compare(row.modules, await fingerprint(modules)) === 0 ? row.reason : undefined
  }

  /** Remembers it, and gives it in words. @throws FENCED of a newer leader */
  async add({ running, why }: Poison, modules: readonly ModuleSource[]): Promise<string> {
    const reason = `${describe(running)} (${await this.#origin(running)}) ${why}`
    const { lease, fence } = this.#fence
    await this.#sql`
      INSERT INTO halt (shard, modules, reason)
      SELECT ${this.#shard}, ${await fingerprint(modules)}, ${reason}
      FROM core.check_fence(${lease}, ${String(fence)}::bigint)
      ON CONFLICT (shard) DO UPDATE SET modules = excluded.modules, reason = excluded.reason`
    return reason
  }

  /** The shard that the message came from, and the block of its transaction, as far as this database knows them. */
  async #origin({ id, from, fromRealm }: RunningMessage): Promise<string> {
    const shards = await this.#sql<{ id: string }[]>`SELECT id FROM shard WHERE split IS NULL`
    const spaces = shards.map((shard) => shardSpace(shard.id))
    const source = shardOf(spaces, fromRealm, cellPath(from))?.id ?? 'unknown'
    const [tx] = await this.#sql<{ shard: string; height: bigint }[]>`SELECT shard, height FROM tx WHERE id = ${id}`
    const block = tx === undefined ? '' : `, transaction in its block ${tx.height}`
    if (tx === undefined || tx.shard === source) return `from shard ${source}${block}`
    return `from shard ${source}, transaction in block ${tx.height} of shard ${tx.shard}`
  }
}

const compareSources = (a: ModuleSource, b: ModuleSource): number =>
  a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1

/** SHA-256 of names, versions and files. What a module's file imports does not count: raise its version for that. */
async function fingerprint(modules: readonly ModuleSource[]): Promise<Buffer> {
  const hash = createHash('sha256')
  for (const { name, version, url } of [...modules].sort((a, b) => compareSources(a, b))) {
    hash.update(`${name} ${version} `)
    hash.update(url.startsWith('file:') ? await readFile(fileURLToPath(url)) : url)
  }
  return hash.digest()
}
