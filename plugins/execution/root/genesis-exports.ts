import type { Genesis } from '../../../protocol/index.ts'
import { shardSpace } from '../shard/shard-space.ts'
import {
  type ExportChange,
  encodeModuleEntry,
  encodeRealmEntry,
  encodeShardEntry,
  moduleKey,
  realmKey,
  shardKey,
} from './exports.ts'

/** What the root chain exports from its first block on, as the genesis document alone decides it. Sorted by key. */
export function genesisExports({ name, shards, modules }: Genesis): ExportChange[] {
  const realms = new Set(shards.map((id) => shardSpace(id).realm))
  const exports: ExportChange[] = [
    ...shards.map((id) => [shardKey(id), encodeShardEntry({ from: 0, parent: null, until: null })] as const),
    ...[...realms].map((realm) => [realmKey(realm), encodeRealmEntry({ creator: null, name })] as const),
    ...modules.map((module) => [moduleKey(module.name), encodeModuleEntry([[module.version, 0]])] as const),
  ]
  return exports.sort(([a], [b]) => (a < b ? -1 : 1))
}
