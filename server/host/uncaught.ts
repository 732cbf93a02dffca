import { currentWork } from '../db/work.ts'
import type { MetricsRegistry } from '../metrics/index.ts'
import type { Log } from '../plugin/host.ts'
import { PluginScope } from './plugin-scope.ts'

export interface UncaughtOptions {
  readonly log: Log
  /** Called with an error that nobody can be blamed for: it leaves unknown state behind. */
  readonly onFatal: (error: unknown) => void
  /** Plugins that would rather have the process end than go on (`onUncaught: 'end'`). */
  readonly isFatal: (plugin: string) => boolean
  readonly metrics: () => MetricsRegistry | undefined
}

/**
 * Looks at errors that nobody caught, in the whole process. One from a plugin's code, or from a request, is logged with
 * its name and counted, and the node goes on: one careless plugin must not end what the others serve.
 *
 * @returns how to end it
 */
export function watchUncaught({ log, onFatal, isFatal, metrics }: UncaughtOptions): () => void {
  const listener = (error: unknown): void => {
    const plugin = PluginScope.current?.plugin
    const isRequest = currentWork() !== undefined
    if ((plugin === undefined && !isRequest) || (plugin !== undefined && isFatal(plugin))) return onFatal(error)
    metrics()
      ?.core.counter({ name: 'uncaught_errors_total', help: 'Errors that nobody caught.', labels: ['plugin'] })
      .add(1, { plugin: plugin ?? 'unknown' })
    if (plugin === undefined) log.error({ error }, 'a request left an error that nobody caught; the node goes on')
    else log.error({ plugin, error }, `plugin "${plugin}" left an error that nobody caught; the node goes on`)
  }
  process.on('uncaughtException', listener)
  process.on('unhandledRejection', listener)
  return () => {
    process.off('uncaughtException', listener)
    process.off('unhandledRejection', listener)
  }
}
