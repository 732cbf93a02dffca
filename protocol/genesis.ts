import { equal } from './bytes.ts'
import type { Cell } from './cell.ts'
import { taggedHash } from './domain.ts'
import { CodecError } from './errors.ts'
import { Reader } from './reader.ts'
import { parseShardId } from './shard-id.ts'
import { MAX_CALL_BYTES, MAX_REALM } from './transaction.ts'
import { type CborMap, VALUE_DEPTH } from './value.ts'
import { Writer } from './writer.ts'

/** A cell that exists from the start. */
export interface GenesisCell extends Cell {
  readonly realm: number
}

/** A ledger module and the root height from which it acts. */
export interface GenesisModule {
  readonly name: string
  readonly version: number
  readonly activeFrom: number
}

/** What a network begins with. The hash of it is the network's id, which every transaction names. */
export interface Genesis {
  readonly name: string
  /** A development network has a faucet. */
  readonly kind: 'development' | 'production'
  /** Milliseconds since 1970. */
  readonly time: number
  /** ed25519 keys, 32 bytes each. */
  readonly validators: readonly Uint8Array[]
  /** How many of the validators must sign a root block. */
  readonly quorum: number
  /** Commitment that the reveals of the first blocks are checked against, 32 bytes. */
  readonly anchor: Uint8Array
  readonly params: CborMap
  /** Names of the shards that exist from the start. */
  readonly shards: readonly string[]
  readonly cells: readonly GenesisCell[]
  readonly modules: readonly GenesisModule[]
}

/** CBOR["deaios", 1, name, kind, time, validators, quorum, anchor, params, shards, cells, modules]. */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  const writer = new Writer()
  writer.value([
    'deaios',
    1,
    genesis.name,
    genesis.kind,
    genesis.time,
    genesis.validators,
    genesis.quorum,
    genesis.anchor,
    genesis.params,
    genesis.shards,
    genesis.cells.map((cell) => [cell.realm, cell.id, cell.owner, cell.balance, cell.value]),
    genesis.modules.map((module) => [module.name, module.version, module.activeFrom]),
  ])
  return writer.finish()
}

/**
 * The genesis of its CBOR; byte strings are views.
 * @throws CodecError MALFORMED or NOT_CANONICAL.
 */
export function decodeGenesis(bytes: Uint8Array): Genesis {
  const reader = new Reader(bytes)
  reader.arrayOf(12)
  if (reader.text() !== 'deaios' || reader.uint() !== 1) {
    throw new CodecError('MALFORMED', 'a genesis document begins with "deaios" and version 1')
  }
  const genesis: Genesis = {
    name: reader.text(),
    kind: readKind(reader),
    time: reader.uint(),
    validators: readList(reader, readKey),
    quorum: reader.uint(),
    anchor: reader.bytesOf(32),
    params: reader.map(VALUE_DEPTH),
    shards: readList(reader, readShard),
    cells: readList(reader, readCell),
    modules: readList(reader, readModule),
  }
  reader.done()
  if (genesis.quorum < 1 || genesis.quorum > genesis.validators.length) {
    throw new CodecError('MALFORMED', `a quorum is 1 to ${genesis.validators.length}, the number of validators`)
  }
  if (genesis.validators.some((key, index) => genesis.validators.slice(0, index).some((other) => equal(key, other)))) {
    throw new CodecError('MALFORMED', 'a validator is named twice')
  }
  return genesis
}

/** The id of the network that begins with this document: 32 bytes. */
export function networkId(encoded: Uint8Array): Uint8Array {
  return taggedHash('genesis', encoded)
}

function readList<T>(reader: Reader, readItem: (reader: Reader) => T): T[] {
  const list: T[] = []
  for (let left = reader.arrayHeader(); left > 0; left--) list.push(readItem(reader))
  return list
}

function readKind(reader: Reader): Genesis['kind'] {
  const kind = reader.text()
  if (kind === 'development' || kind === 'production') return kind
  throw new CodecError('MALFORMED', 'a network is of kind development or production')
}

function readKey(reader: Reader): Uint8Array {
  return reader.bytesOf(32)
}

function readShard(reader: Reader): string {
  return parseShardId(reader.text()).id
}

function readCell(reader: Reader): GenesisCell {
  reader.arrayOf(5)
  return {
    realm: reader.uint(MAX_REALM),
    id: reader.bytesOf(32),
    owner: reader.text(MAX_CALL_BYTES),
    balance: reader.amount(),
    value: reader.value(VALUE_DEPTH),
  }
}

function readModule(reader: Reader): GenesisModule {
  reader.arrayOf(3)
  return { name: reader.text(MAX_CALL_BYTES), version: reader.uint(), activeFrom: reader.uint() }
}
