import { TIMER_LEFT } from '../../host/boot.ts'
import { silentLog } from '../../log.ts'
import type { Log } from '../../plugin/host.ts'

/** A log that keeps only where timers were made that plugins left running: the node clears them when it stops. */
export function leftTimersLog(): { readonly log: Log; readonly left: readonly string[] } {
  const left: string[] = []
  const log: Log = {
    ...silentLog,
    warn: (fields: string | Record<string, unknown>) => {
      if (typeof fields === 'object' && fields.code === TIMER_LEFT) left.push(String(fields.where))
    },
    child: () => log,
  }
  return { log, left }
}
