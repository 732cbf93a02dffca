import { cron, definePlugin, follow } from 'deaios'
import { LedgerModules } from 'deaios/plugins/execution'
import { z } from 'zod'
import { Counted, Written } from './api.ts'
import { addEntry, countEntries } from './entries.ts'
import { journalGraphql } from './graphql.ts'
import { journal } from './ledger.ts'

/** Lets accounts publish short texts, and everybody read them. */
export default definePlugin({
  name: 'journal',
  version: '1.0.0',
  api: '^1.0.0',
  dependsOn: { execution: '^1.0.0' },
  config: z.object({
    /** When the entries are counted: minute, hour, day of month, month, day of week. */
    countAt: z.string().default('0 * * * *'),
  }),
  contributes: [[LedgerModules, journal]],
  topics: [Written, Counted],
  migrations: new URL('../migrations/', import.meta.url),
  graphql: journalGraphql,
  jobs: (host) => [
    follow({ name: 'index', topic: Written, apply: addEntry }),
    cron({
      name: 'count',
      schedule: host.config.countAt,
      run: () =>
        host.sql.begin(async (tx) => {
          await host.events.publish(tx, Counted, { entries: await countEntries(tx) })
        }),
    }),
  ],
})
