import type { GraphQLError } from 'graphql'
import type { z } from 'zod'
import { apiError } from './errors.ts'

/** How many items a page has when the client does not say. */
export const DEFAULT_PAGE = 20
/** How many items a page can have. */
export const MAX_PAGE = 100

export interface PageArgs {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

export interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

export interface Edge<Node> {
  readonly cursor: string
  readonly node: Node
}

export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[]
  readonly pageInfo: PageInfo
}

/** How the items of one kind of list become opaque cursors, and cursors keys. */
export interface KeysetCursor<Item, Key> {
  encode(item: Item): string
  /** @throws GraphQLError BAD_CURSOR for anything but a cursor of this kind */
  decode(cursor: string): Key
}

/** What a loader is asked for: keys after `after` and before `before`, in order, from one end. */
export interface PageRequest<Key> {
  /** Load this many: one more than is shown, which tells whether there are more. */
  readonly limit: number
  /** Exclusive. */
  readonly after: Key | undefined
  /** Exclusive. */
  readonly before: Key | undefined
  /** True: begin at the end, and give the items last to first. */
  readonly reverse: boolean
}

export const pageTooLarge = (argument: string, asked: number): GraphQLError =>
  apiError(
    'PAGE_TOO_LARGE',
    `\`${argument}\` asks for ${asked} items; a page has at most ${MAX_PAGE}. Ask for less, then go on with \`after\`.`,
    {
      max: MAX_PAGE,
    },
  )

/**
 * Cursors that hold a key as JSON.
 * @param kind tells cursors of different lists apart, like `block`
 * @param schema checks a decoded key: cursors come from outside
 * @param keyOf the key of an item
 */
export function keysetCursor<Item, Key extends readonly [] | readonly (string | number | boolean)[]>(
  kind: string,
  schema: z.ZodType<Key>,
  keyOf: (item: Item) => Key,
): KeysetCursor<Item, Key> {
  const refuse = (): GraphQLError =>
    apiError('BAD_CURSOR', `This is not a cursor of a ${kind} list. Pass a cursor exactly as the same list gave it.`)
  return {
    encode: (item) => Buffer.from(JSON.stringify([kind, ...keyOf(item)])).toString('base64url'),
    decode(cursor) {
      let decoded: unknown
      try {
        decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString())
      } catch {
        throw refuse()
      }
      if (!Array.isArray(decoded) || decoded[0] !== kind) throw refuse()
      const key = schema.safeParse(decoded.slice(1))
      if (!key.success) throw refuse()
      return key.data
    },
  }
}

/**
 * The number of items that the arguments ask for.
 * @throws GraphQLError PAGE_TOO_LARGE, or BAD_PAGE for arguments that contradict each other
 */
export function pageSize({ first, last }: PageArgs): number {
  if (first != null && last != null) {
    throw apiError('BAD_PAGE', '`first` and `last` cannot be combined: ask for one end of the list.')
  }
  const argument = last != null ? 'last' : 'first'
  const size = last ?? first ?? DEFAULT_PAGE
  if (size < 0) throw apiError('BAD_PAGE', `\`${argument}\` must not be negative.`)
  if (size > MAX_PAGE) throw pageTooLarge(argument, size)
  return size
}

/** `complexity` of a field that gives a connection: what it selects, times the page's size. */
export const pageCost = ({ first, last }: PageArgs): { field: number; multiplier: number } => ({
  field: 1,
  multiplier: Math.min(Math.max(Number(first ?? last ?? DEFAULT_PAGE), 0), MAX_PAGE),
})

/**
 * One page of a keyset list.
 * @param load reads items by key, never by offset
 * @throws GraphQLError PAGE_TOO_LARGE | BAD_PAGE | BAD_CURSOR
 */
export async function resolvePage<Item, Key>(
  args: PageArgs,
  cursor: KeysetCursor<Item, Key>,
  load: (request: PageRequest<Key>) => readonly Item[] | Promise<readonly Item[]>,
): Promise<Connection<Item>> {
  const size = pageSize(args)
  const reverse = args.last != null
  const after = args.after == null ? undefined : cursor.decode(args.after)
  const before = args.before == null ? undefined : cursor.decode(args.before)
  const items = await load({ limit: size + 1, after, before, reverse })
  const shown = items.slice(0, size)
  if (reverse) shown.reverse()
  const edges = shown.map((node) => ({ cursor: cursor.encode(node), node }))
  const more = items.length > size
  return {
    edges,
    pageInfo: {
      // Towards the end that was not asked about, the cursor itself says that something is there.
      hasNextPage: reverse ? before !== undefined : more,
      hasPreviousPage: reverse ? more : after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
