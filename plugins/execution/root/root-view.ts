import { decode } from '../../../protocol/index.ts'
import {
  decodeModuleEntry,
  decodeRealmEntry,
  decodeShardEntry,
  type ExportChange,
  type ModuleEntry,
  type RealmEntry,
  type ShardEntry,
  systemKey,
} from './exports.ts'

/**
 * What the root chain exports, as of one root height. A block sees the view as of its `rootCursor`, so that whatever
 * follows from it follows from the chain alone. Immutable.
 */
export class RootView {
  static readonly EMPTY = new RootView(new Map())

  readonly #values: ReadonlyMap<string, Uint8Array>
  readonly shards: ReadonlyMap<string, ShardEntry>
  readonly realms: ReadonlyMap<number, RealmEntry>
  readonly modules: ReadonlyMap<string, ModuleEntry>

  private constructor(values: ReadonlyMap<string, Uint8Array>) {
    const shards = new Map<string, ShardEntry>()
    const realms = new Map<number, RealmEntry>()
    const modules = new Map<string, ModuleEntry>()
    for (const [key, value] of values) {
      const found = systemKey(key)
      if (found?.kind === 'shard') shards.set(found.name, decodeShardEntry(value))
      else if (found?.kind === 'realm') realms.set(Number(found.name), decodeRealmEntry(value))
      else if (found?.kind === 'module') modules.set(found.name, decodeModuleEntry(value))
    }
    this.#values = values
    this.shards = shards
    this.realms = realms
    this.modules = modules
  }

  /** The view after these changes; itself if there are none. */
  with(changes: readonly ExportChange[]): RootView {
    if (changes.length === 0) return this
    const values = new Map(this.#values)
    for (const [key, value] of changes) {
      if (value === null) values.delete(key)
      else values.set(key, value)
    }
    return new RootView(values)
  }

  /** An exported value, decoded afresh; undefined if there is none. */
  get(key: string): unknown {
    const value = this.#values.get(key)
    return value === undefined ? undefined : decode(new Uint8Array(value))
  }

  /** The CBOR of an exported value; undefined if there is none. */
  bytes(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.size
  }

  /** All of them, as CBOR, by key. */
  entries(): readonly ExportChange[] {
    return [...this.#values]
  }

  /** The ledger modules in use at a root height: the version of each, by name. */
  modulesAt(height: number): ReadonlyMap<string, number> {
    const active = new Map<string, number>()
    for (const [name, versions] of this.modules) {
      for (const [version, activeFrom] of versions) if (activeFrom <= height) active.set(name, version)
    }
    return active
  }
}
