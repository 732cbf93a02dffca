import { type CborMap, type CborValue, equal, formatShardId, parseShardId } from '../../../protocol/index.ts'
import { type PaperCall, Refusal } from './paper-call.ts'
import type { PaperDeed, PaperModule } from './paper-modules.ts'

/** What the root chain says of a shard: root heights, as it exports them. */
export interface PaperShardEntry {
  readonly from: number
  readonly parent: string | null
  readonly until: number | null
}

/** What the root chain exports. */
export interface RootPages {
  readonly shards: Map<string, PaperShardEntry>
  readonly realms: Map<number, { readonly creator: Uint8Array | null; readonly name: string }>
  readonly modules: Map<string, readonly (readonly [version: number, from: number])[]>
}

export interface RootTerms {
  readonly operator: Uint8Array
  readonly realmBond: bigint
  readonly maxShards: number
}

/** Root blocks from a split's call to its children. */
const SPLIT_DELAY = 3
const NO_SALT = new Uint8Array(0)
const WEIGHT = 100

/** The root chain's modules, as far as the model's transactions use them. They change the pages. */
export function rootOnPaper(pages: RootPages, terms: RootTerms): ReadonlyMap<string, PaperModule> {
  const byOperator = ({ note }: PaperCall): boolean => note.module === 'account' && equal(note.from.id, terms.operator)
  const byCreator = ({ note }: PaperCall, realm: number): boolean => {
    const creator = pages.realms.get(realm)?.creator
    return creator != null && note.module === 'account' && equal(note.from.id, creator)
  }
  const mustBeFree = ({ note }: PaperCall): void => {
    if (note.value > 0n) throw new Refusal('NOT_PAYABLE')
  }
  const mustHaveRoom = (more: number): void => {
    const living = [...pages.shards.values()].filter(({ until }) => until === null).length
    if (living + more > terms.maxShards) throw new Refusal('TOO_MANY_SHARDS')
  }

  const split = (call: PaperCall, { shard }: CborMap): void => {
    const id = String(shard)
    const { height } = call.around
    if (byOperator(call)) mustBeFree(call)
    const entry = pages.shards.get(id)
    if (entry === undefined || (entry.until !== null && entry.until <= height)) throw new Refusal('UNKNOWN_SHARD')
    const { realm, prefix } = parseShardId(id)
    if (!byOperator(call) && !byCreator(call, realm)) throw new Refusal('NOT_ALLOWED')
    if (entry.until !== null || entry.from >= height) throw new Refusal('SPLIT_PENDING')
    mustHaveRoom(1)
    // A creator brings a bond; those of the model's transactions bring none.
    if (!byOperator(call)) throw new Refusal('BOND_REQUIRED')
    const at = height + SPLIT_DELAY
    const children = [formatShardId(realm, `${prefix}0`), formatShardId(realm, `${prefix}1`)]
    pages.shards.set(id, { ...entry, until: at })
    for (const child of children) pages.shards.set(child, { from: at, parent: id, until: null })
    call.emit('execution.splitScheduled', { shard: id, children, at })
  }

  const create = (call: PaperCall, { name, shards }: CborMap): void => {
    const count = Number(shards)
    const creator = call.note.from.id
    if (call.cell.owner === 'realm') throw new Refusal('REALM_EXISTS')
    mustHaveRoom(count)
    const realm = Math.max(...pages.realms.keys()) + 1
    call.write({ realm, name: name ?? null, creator })
    const left = call.balance - terms.realmBond * BigInt(count)
    if (left < 0n) throw new Refusal('BOND_REQUIRED')
    const bits = Math.log2(count)
    const made = Array.from({ length: count }, (_, i) =>
      formatShardId(realm, bits === 0 ? '' : i.toString(2).padStart(bits, '0')),
    )
    pages.realms.set(realm, { creator, name: String(name) })
    const from = call.around.height
    for (const id of made) pages.shards.set(id, { from, parent: null, until: null })
    call.emit('execution.realmCreated', { realm, name: name ?? null, creator, shards: made, from })
    const back = left < call.note.value ? left : call.note.value
    if (back > 0n) call.send('account.credit', call.note.payer, {}, back)
  }

  const activate = (call: PaperCall, args: CborMap): void => {
    const [name, version, at] = [String(args.name), Number(args.version), Number(args.at)]
    mustBeFree(call)
    if (!byOperator(call)) throw new Refusal('NOT_ALLOWED')
    if (at <= call.around.height) throw new Refusal('HEIGHT_PASSED')
    const known = pages.modules.get(name) ?? []
    if (at <= (known.at(-1)?.[1] ?? -1)) throw new Refusal('HEIGHT_TAKEN')
    pages.modules.set(name, [...known, [version, at]])
    call.emit('execution.moduleScheduled', { name, version, at })
  }

  const deed = (module: string, act: PaperDeed['act'], sends = {}, salt: PaperDeed['salt'] = () => NO_SALT) => {
    return { module, weight: WEIGHT, sends, takes: () => true, salt, act }
  }
  const nameOf = ({ name }: CborMap): Uint8Array => new TextEncoder().encode(String(name))
  const one = (name: string, made: PaperDeed): PaperModule => ({ deeds: new Map([[name, made]]), onBounce: undefined })
  return new Map([
    ['shard', one('split', deed('shard', split))],
    ['realm', one('create', deed('realm', create, { 'account.credit': 1 }, nameOf))],
    ['module', one('activate', deed('module', activate))],
  ])
}

/** What the pages say, as the root chain exports it: each value under its key. */
export function exportsOf({ shards, realms, modules }: RootPages): Map<string, CborValue> {
  const exports = new Map<string, CborValue>()
  for (const [id, { from, parent, until }] of shards) exports.set(`shard/${id}`, { from, parent, until })
  for (const [realm, { creator, name }] of realms) exports.set(`realm/${realm}`, { creator, name })
  for (const [name, versions] of modules)
    exports.set(
      `module/${name}`,
      versions.map((entry) => [...entry]),
    )
  return exports
}
