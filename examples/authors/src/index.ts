import { definePlugin, follow, type Host } from 'deaios'
import { AccountType } from 'deaios/plugins/execution'
import type { Builder } from 'deaios/schema'
import { JournalEntryType, Written } from 'deaios-journal'
import { countsByAuthor, noteEntry } from './counts.ts'

/** Counts the entries of each author of a journal. */
export default definePlugin({
  name: 'authors',
  version: '1.0.0',
  api: '^1.0.0',
  dependsOn: { journal: '^1.0.0', execution: '^1.0.0' },
  migrations: new URL('../migrations/', import.meta.url),
  jobs: [follow({ name: 'count', topic: Written, apply: noteEntry })],
  graphql: authorsGraphql,
})

/** Adds a field to a type of journal's, and one to a type of execution's. */
function authorsGraphql(builder: Builder, host: Host): void {
  // One statement for all authors of a page, however many entries ask.
  const load = (authors: string[]) => countsByAuthor(host.sql, authors)

  builder.objectField(builder.refOf(JournalEntryType), 'authorEntries', (t) =>
    t.loadable({
      type: 'Int',
      description: 'How many entries its author has written.',
      load,
      resolve: ({ author }) => Buffer.from(author).toString('hex'),
    }),
  )
  builder.objectField(builder.refOf(AccountType), 'journalEntries', (t) =>
    t.loadable({
      type: 'Int',
      description: 'How many entries this account has written.',
      load,
      resolve: ({ address }) => Buffer.from(address).toString('hex'),
    }),
  )
}
