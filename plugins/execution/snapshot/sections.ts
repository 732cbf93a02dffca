import { z } from 'zod'
import { CodecError, decode, encode, Reader } from '../../../protocol/index.ts'
import { SnapshotError } from './errors.ts'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const height = z.int().nonnegative()
const amount = z.union([z.int().nonnegative(), z.bigint().nonnegative()]).transform(BigInt)

/** Items of one section. Those of one byte take a hundred times that once they are read: a section must not fill the memory. */
export const MAX_ITEMS = 4_000_000

/** What stands in a snapshot, by the name that begins each section. All of it is CBOR arrays. */
const SHAPES = {
  /** The genesis document, the root height that the snapshot is of, and that of the first root block in it. */
  snapshot: z.tuple([bytes, height, height]),
  /** What the root chain exported as of the first root block: [key, value], sorted by key. */
  exports: z.tuple([z.array(z.tuple([z.string(), bytes]).readonly())]),
  /** The shards: the header of the last block of each that the root block commits, by id. */
  shards: z.tuple([z.array(bytes)]),
  /** A root block: header, entries, CBOR list of [key, value | null] that it exported (none for the first), its own out items. */
  root: z.tuple([bytes, bytes, bytes, bytes]),
  /** A block that the root block before lists, in the order of its entries: header and out items. */
  sent: z.tuple([bytes, bytes]),
  /** Votes for the last root block; then what the root chain held, and ever sent and took in. */
  votes: z.tuple([bytes, amount, amount, amount]),
  /** Records of the root chain's own cells, sorted by path. */
  'root-cells': z.tuple([z.array(bytes)]),
  /** The last block of a shard: id, body, receipts, out items; then what it held, and ever sent and took in. */
  shard: z.tuple([z.string(), bytes, bytes, bytes, amount, amount, amount]),
  /** Records of the shard's cells, sorted by path. */
  cells: z.tuple([z.array(bytes)]),
  /** Messages that wait in the shard, sorted by key: [key, message]. */
  deferred: z.tuple([z.array(z.tuple([bytes, bytes]).readonly())]),
  /** How many sections came before. */
  end: z.tuple([height]),
} as const

type Shapes = typeof SHAPES
export type SectionName = keyof Shapes

/** A section as it is read. */
export type Section = { [N in SectionName]: { readonly name: N; readonly items: z.output<Shapes[N]> } }[SectionName]

/** The bytes of a section. */
export const encodeSection = <N extends SectionName>(name: N, items: z.input<Shapes[N]>): Uint8Array =>
  encode([name, ...items])

/** Reads a section. @throws SnapshotError DAMAGED */
export function decodeSection(section: Uint8Array): Section {
  const [name, ...items] = listOf(section)
  if (!isName(name)) throw new SnapshotError('DAMAGED', `a section is called ${JSON.stringify(name)}, which none is`)
  const found = SHAPES[name].safeParse(items)
  if (!found.success) throw new SnapshotError('DAMAGED', `a section "${name}" has another form than it should`)
  // The schema of this name has just read it.
  return { name, items: found.data } as Section
}

function listOf(section: Uint8Array): readonly unknown[] {
  try {
    new Reader(section).skip(MAX_ITEMS)
    const value = decode(section)
    if (Array.isArray(value)) return value
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new SnapshotError('DAMAGED', `a section cannot be read: ${error.message}`, { cause: error })
  }
  throw new SnapshotError('DAMAGED', 'a section is no list')
}

const isName = (name: unknown): name is SectionName => typeof name === 'string' && Object.hasOwn(SHAPES, name)
