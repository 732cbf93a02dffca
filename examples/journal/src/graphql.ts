import type { Host } from 'deaios'
import { AccountType } from 'deaios/plugins/execution'
import { type Builder, pageCost, resolvePage } from 'deaios/schema'
import { JournalEntryType, Written } from './api.ts'
import { byId, entriesById, entriesPage } from './entries.ts'

/** `journalEntries`, `JournalEntry` and the subscription `journalWritten`. */
export function journalGraphql(builder: Builder, host: Host): void {
  const entry = builder.node(builder.refOf(JournalEntryType), {
    description: 'Something that an account wrote.',
    id: { resolve: ({ id }) => id },
    loadMany: (ids) => entriesById(host.sql, ids),
    fields: (t) => ({
      number: t.exposeInt('number', { nullable: false, description: "1 for its author's first." }),
      text: t.exposeString('text', { nullable: false }),
      writtenAt: t.expose('writtenAt', { type: 'DateTime', nullable: false }),
      author: t.field({
        type: builder.refOf(AccountType),
        resolve: ({ author }) => ({ address: author, realm: 0 }),
      }),
    }),
  })

  builder.queryField('journalEntries', (t) =>
    t.field({
      type: builder.connectionOf(entry),
      nullable: false,
      description: 'Entries in the order in which they were written.',
      args: { author: t.arg({ type: 'Bytes' }), ...builder.pageArgs },
      complexity: pageCost,
      resolve: (_root, { author, ...page }) =>
        resolvePage(page, byId, (request) => entriesPage(host.sql, author, request)),
    }),
  )

  const written = builder
    .objectRef<{ cursor: string; payload: { author: Uint8Array; number: number; text: string } }>('JournalWritten')
    .implement({
      description: 'An entry as it is written.',
      fields: (t) => ({
        cursor: t.expose('cursor', { type: 'Cursor', nullable: false, description: 'Pass it as `after` to go on.' }),
        author: t.field({ type: 'Bytes', nullable: false, resolve: ({ payload }) => payload.author }),
        number: t.int({ nullable: false, resolve: ({ payload }) => payload.number }),
        text: t.string({ nullable: false, resolve: ({ payload }) => payload.text }),
      }),
    })

  builder.subscriptionField('journalWritten', (t) =>
    t.field({
      type: written,
      nullable: false,
      description: 'Entries as they are written; first those after the cursor, if one is given.',
      args: { after: t.arg({ type: 'Cursor' }) },
      subscribe: (_root, { after }, { signal }) => host.events.subscribe(Written, { after, signal }),
      resolve: (event) => event,
    }),
  )
}
