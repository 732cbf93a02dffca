import type { Database } from '../db/database.ts'
import { DatabaseError, messageOf } from '../db/errors.ts'
import { exclusively } from '../db/exclusive.ts'
import { CORE_MIGRATIONS, CORE_SCHEMA, migrate } from '../db/migrate.ts'
import type { Log } from '../plugin/host.ts'
import { ownerOf } from '../plugin/tokens.ts'
import { BOUNDS, bounded, type Step } from './bounded.ts'
import { PluginError } from './errors.ts'
import { dependenciesOf } from './order.ts'
import type { ServiceRegistry } from './services.ts'
import type { Slot } from './slot.ts'

export type Bounds = Readonly<Record<Step, number>>

/** Brings the database's tables up to date, the core's, then each plugin's; one node at a time. */
export function migrateAll(slots: readonly Slot[], database: Database, log: Log): Promise<void> {
  return exclusively(database.sql(CORE_SCHEMA), () => migrateInOrder(slots, database, log))
}

async function migrateInOrder(slots: readonly Slot[], database: Database, log: Log): Promise<void> {
  const apply = async (schema: string, folder: URL | undefined): Promise<void> => {
    const applied = await migrate(database.sql(CORE_SCHEMA), schema, folder)
    if (applied.length > 0) log.info({ schema, applied: [...applied] }, 'migrated')
  }
  await apply(CORE_SCHEMA, CORE_MIGRATIONS)
  for (const slot of slots)
    await attempt(slot, slots, log, 'migrate', () => apply(slot.name, slot.plugin.definition.migrations))
}

/** Builds the services of each plugin, when those that it requires are there. */
export async function provideAll(slots: readonly Slot[], services: ServiceRegistry, log: Log): Promise<void> {
  for (const slot of slots)
    await attempt(slot, slots, log, 'provide', () => {
      const { definition } = slot.plugin
      for (const token of Object.values(definition.requires ?? {}))
        if (token.kind === 'service' && services.find(token) === undefined)
          throw new PluginError([
            {
              plugin: slot.name,
              code: 'SERVICE_MISSING',
              problem: `requires ${token.id}, which no plugin provides`,
              mend: `use a version of plugin "${ownerOf(token)}" that provides it`,
            },
          ])
      for (const [token, implementation] of slot.scope.run(() => definition.provides?.(slot.host)) ?? [])
        services.provide(slot.name, token, implementation)
    })
}

/**
 * Starts the plugins in order.
 * @param started called with each plugin that runs
 * @param failed called with one that did not start; it must not throw
 */
export async function startAll(
  slots: readonly Slot[],
  log: Log,
  bounds: Bounds = BOUNDS,
  started: (plugin: string) => void = () => undefined,
  failed: (plugin: string) => Promise<void> | undefined = () => undefined,
): Promise<void> {
  for (const slot of slots)
    await attempt(slot, slots, log, 'start', async () => {
      slot.wasStarted = true
      try {
        await bounded(slot.name, 'start', () => slot.scope.run(() => slot.plugin.definition.start?.(slot.host)), bounds)
      } catch (error) {
        // What it has begun already must not go on without it.
        await failed(slot.name)
        throw error
      }
      slot.become('RUNNING')
      started(slot.name)
    })
}

/**
 * Ends the plugins, those first that depend on others: all drain, then all stop. Errors are logged, and hold nobody up.
 * Never throws.
 * @param before called before each plugin drains; it must not throw
 */
export async function stopAll(
  slots: readonly Slot[],
  log: Log,
  bounds: Bounds = BOUNDS,
  before: (plugin: string) => Promise<void> | undefined = () => undefined,
): Promise<void> {
  const reversed = slots.filter(({ wasStarted }) => wasStarted).reverse()
  for (const slot of reversed) {
    slot.become('DRAINING')
    await before(slot.name)
    await end(slot, 'drain', log, bounds)
  }
  for (const slot of slots) slot.abort('the node stops')
  for (const slot of reversed) {
    await end(slot, 'stop', log, bounds)
    clearLeftTimers(slot, log)
    slot.become('STOPPED')
  }
}

async function end(slot: Slot, step: 'drain' | 'stop', log: Log, bounds: Bounds): Promise<void> {
  try {
    await bounded(slot.name, step, () => slot.scope.run(() => slot.plugin.definition[step]?.(slot.host)), bounds)
  } catch (error) {
    log.error({ plugin: slot.name, error }, `could not ${step}`)
  }
}

/** What the log entry about a timer that was left running is known by. */
export const TIMER_LEFT = 'TIMER_LEFT'

/** A timer that goes on behind its plugin's end would work on what is closed, and keep the process alive. */
function clearLeftTimers(slot: Slot, log: Log): void {
  for (const { where, clear } of slot.scope.leftTimers()) {
    log.warn(
      { plugin: slot.name, code: TIMER_LEFT, where },
      `plugin "${slot.name}" left a timer running; clear it in stop()`,
    )
    clear()
  }
}

/** Runs one step of one plugin, and follows its `onBootFailure` if that fails or if it needs a plugin that failed. */
async function attempt(
  slot: Slot,
  slots: readonly Slot[],
  log: Log,
  step: string,
  work: () => void | Promise<void>,
): Promise<void> {
  if (slot.status === 'FAILED') return
  try {
    refuseWithout(slot, slots)
    await work()
  } catch (error) {
    const told = error instanceof PluginError || error instanceof DatabaseError
    const failure = told ? error : bootFailure(slot, `could not ${step}: ${messageOf(error)}`, error)
    if (slot.plugin.onBootFailure === 'abort') throw failure
    log.error({ plugin: slot.name, error }, `could not ${step}; going on without it`)
    slot.fail(failure.message)
  }
}

/** Fails the plugins that need one which has failed. @throws PluginError if one of them may not be left out */
export function failDependents(slots: readonly Slot[], log: Log): void {
  for (const slot of slots) {
    if (slot.status === 'FAILED') continue
    try {
      refuseWithout(slot, slots)
    } catch (error) {
      if (slot.plugin.onBootFailure === 'abort') throw error
      log.error({ plugin: slot.name, error }, 'cannot be without it; going on without both')
      slot.fail(messageOf(error))
    }
  }
}

/** @throws PluginError if a plugin that this one needs has failed */
function refuseWithout(slot: Slot, slots: readonly Slot[]): void {
  const needed = new Set(
    dependenciesOf(slot.plugin.definition)
      .filter(({ isOptional }) => !isOptional)
      .map(({ name }) => name),
  )
  const failed = slots.find((other) => other.status === 'FAILED' && needed.has(other.name))
  if (failed !== undefined) throw bootFailure(slot, `needs plugin "${failed.name}", which failed`)
}

const bootFailure = (slot: Slot, problem: string, cause?: unknown): PluginError =>
  new PluginError(
    [
      {
        plugin: slot.name,
        code: 'BOOT_FAILED',
        problem,
        mend: `see the log, or start without it by { onBootFailure: 'continue' }`,
      },
    ],
    cause,
  )
