import { decode, encode, Reader } from '../../../protocol/index.ts'

/** What a root block makes of one export: its new value as CBOR, or null if it is gone. */
export type ExportChange = readonly [key: string, value: Uint8Array | null]

/** What the root chain says of a shard. */
export interface ShardEntry {
  /** Root height that its first block has taken in. */
  readonly from: number
  /** The shard that it was split off from. */
  readonly parent: string | null
  /** Root height at which it splits: its last block is the one that takes this in. Null while nobody splits it. */
  readonly until: number | null
}

/** What the root chain says of a realm. */
export interface RealmEntry {
  /** The account that made it; null for realm 0. */
  readonly creator: Uint8Array | null
  readonly name: string
}

/** The versions of a ledger module, each with the root height from which on it is used; ascending. */
export type ModuleEntry = readonly (readonly [version: number, activeFrom: number])[]

const SHARD = 'shard/'
const REALM = 'realm/'
const MODULE = 'module/'

/** Keys that the system itself exports; modules choose other ones. */
export const shardKey = (id: string): string => `${SHARD}${id}`
export const realmKey = (realm: number): string => `${REALM}${realm}`
export const moduleKey = (name: string): string => `${MODULE}${name}`

/** True for the modules whose exports the system reads itself. */
export const isSystemModule = (name: string): boolean => [SHARD, REALM, MODULE].includes(`${name}/`)

/** What a key of the system names, or undefined for other keys. */
export function systemKey(
  key: string,
): { readonly kind: 'shard' | 'realm' | 'module'; readonly name: string } | undefined {
  if (key.startsWith(SHARD)) return { kind: 'shard', name: key.slice(SHARD.length) }
  if (key.startsWith(REALM)) return { kind: 'realm', name: key.slice(REALM.length) }
  if (key.startsWith(MODULE)) return { kind: 'module', name: key.slice(MODULE.length) }
  return undefined
}

export const encodeShardEntry = ({ from, parent, until }: ShardEntry): Uint8Array => encode({ from, parent, until })
export const encodeRealmEntry = ({ creator, name }: RealmEntry): Uint8Array => encode({ creator, name })
export const encodeModuleEntry = (entry: ModuleEntry): Uint8Array => encode(entry.map((version) => [...version]))

// The root chain's own modules wrote what is read here.
export const decodeShardEntry = (value: Uint8Array): ShardEntry => decode(value) as unknown as ShardEntry
export const decodeRealmEntry = (value: Uint8Array): RealmEntry => decode(value) as unknown as RealmEntry
export const decodeModuleEntry = (value: Uint8Array): ModuleEntry => decode(value) as unknown as ModuleEntry

/** CBOR list of [key, value as bytes | null]: the changes of one root block, as it is stored. */
export const encodeExportChanges = (changes: readonly ExportChange[]): Uint8Array =>
  encode(changes.map(([key, value]) => [key, value]))

/** Reads what `encodeExportChanges` wrote. @throws CodecError */
export function decodeExportChanges(bytes: Uint8Array): ExportChange[] {
  const reader = new Reader(bytes)
  const changes: ExportChange[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) {
    reader.arrayOf(2)
    const key = reader.text()
    changes.push([key, reader.optional() ? new Uint8Array(reader.bytes()) : null])
  }
  reader.done()
  return changes
}
