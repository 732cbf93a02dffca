import DataLoader from 'dataloader'
import type { Builder, Context } from '../../../schema/index.ts'
import { apiError, MAX_PAGE, pageCost, pageSize } from '../../../schema/index.ts'
import { definePlugin, type Sql } from '../../../server/plugin.ts'

/** A book, as the table and the shelf in memory hold it. */
export interface Book {
  readonly id: number
  readonly title: string
  readonly words: number
  readonly published: boolean
  readonly time: Date
  readonly author: number
}

interface Author {
  readonly id: number
  readonly name: string
}

const SHELF = 1000
/** One object of five fields, by its id. */
export const OBJECT = 'query Book($id: ID!) { book(id: $id) { id title words published time } }'
/** A page of objects, each with one that it belongs to. */
export const LIST = 'query Books($first: Int!) { books(first: $first) { id title words author { id name } } }'

const shelf: ReadonlyMap<string, Book> = new Map(
  Array.from({ length: SHELF }, (_, n) => [
    String(n),
    { id: n, title: `Title ${n}`, words: 7 * n, published: n % 2 === 0, time: new Date(1.8e12 + n), author: n % 10 },
  ]),
)

/** Books in memory and in Postgres, as any plugin would offer them. `sql` is called in resolvers only. */
export function libraryGraphql(builder: Builder, sql: () => Sql): void {
  const loaders = new WeakMap<Context, DataLoader<number, Author>>()
  const authorsOf = (context: Context): DataLoader<number, Author> => {
    const known = loaders.get(context)
    if (known !== undefined) return known
    const made = new DataLoader<number, Author>(async (ids) => {
      const rows = await sql()<Author[]>`SELECT id, name FROM author WHERE id = ANY(${[...ids]}::integer[])`
      const byId = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => byId.get(id) ?? apiError('AUTHOR_UNKNOWN', `There is no author ${id}.`))
    })
    loaders.set(context, made)
    return made
  }
  const author = builder.objectRef<Author>('Author').implement({
    fields: (t) => ({
      id: t.exposeID('id', { nullable: false }),
      name: t.exposeString('name', { nullable: false }),
    }),
  })
  const book = builder.objectRef<Book>('Book').implement({
    fields: (t) => ({
      id: t.exposeID('id', { nullable: false }),
      title: t.exposeString('title', { nullable: false }),
      words: t.exposeInt('words', { nullable: false }),
      published: t.exposeBoolean('published', { nullable: false }),
      time: t.expose('time', { type: 'DateTime', nullable: false }),
      author: t.field({ type: author, resolve: (self, _args, context) => authorsOf(context).load(self.author) }),
    }),
  })
  builder.queryFields((t) => ({
    book: t.field({
      type: book,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }) => shelf.get(id),
    }),
    books: t.field({
      type: [book],
      nullable: false,
      description: `At most ${MAX_PAGE}.`,
      args: { first: t.arg.int() },
      complexity: pageCost,
      resolve: (_root, { first }) =>
        sql()<
          Book[]
        >`SELECT id, title, words, published, time, author FROM book ORDER BY id LIMIT ${pageSize({ first })}`,
    }),
  }))
}

/** The same as a plugin. */
export const library = definePlugin({
  name: 'library',
  version: '1.0.0',
  api: '^1.0.0',
  migrations: new URL('./migrations/', import.meta.url),
  graphql: (builder, host) => libraryGraphql(builder, () => host.sql),
})
