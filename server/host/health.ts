import type { Database } from '../db/database.ts'
import type { Health } from '../plugin/host.ts'
import type { Slot } from './slot.ts'

/** Whoever asks how a node is may ask often; the plugins are asked once in this time. */
const FRESH_MS = 1_000

/**
 * Whether a node can serve: its database is up, and every plugin that it needs runs and says that it is well. Plugins
 * that may be left out (`onBootFailure: 'continue'`) are told about, and do not make it unready.
 */
export function readinessOf(database: Database, slots: readonly Slot[]): () => Promise<Health> {
  let latest: Promise<Health> | undefined
  return () => {
    if (latest === undefined) {
      const asked = ask(database, slots)
      latest = asked
      asked.finally(() => {
        setTimeout(() => {
          latest = undefined
        }, FRESH_MS).unref()
      })
    }
    return latest
  }
}

async function ask(database: Database, slots: readonly Slot[]): Promise<Health> {
  const status = database.status()
  if (status.status !== 'up') return { ok: false, message: `the database is ${status.status}` }
  const reports = await Promise.all(slots.map(async (slot) => ({ slot, health: await slot.health() })))
  const ill = reports.filter(({ health }) => !health.ok)
  if (ill.length === 0) return { ok: true }
  return {
    ok: ill.every(({ slot }) => slot.plugin.onBootFailure === 'continue'),
    message: ill.map(({ slot, health }) => `${slot.name}: ${reasonOf(slot, health)}`).join('; '),
  }
}

/** Anybody may ask: why a plugin failed may name what only its operator should know, and is in `plugins` and the log. */
const reasonOf = ({ status }: Slot, { message }: Health): string =>
  status === 'FAILED' ? 'it has failed' : (message ?? 'not ok')
