import type { Log } from '../plugin.ts'
import type { Answered } from './exchange.ts'

/** From here on a request is slow enough to be told about at `info`. */
const SLOW_SECONDS = 1

/**
 * Writes one line about each request: at `debug`, or at `info` if it was slow or the node failed. What it holds is
 * known to be free of secrets: no header, no variable, no query of a URL.
 */
export function accessLog(log: Log): (answered: Answered) => void {
  return ({ requestId, method, route, plugin, status, seconds, operation, outcome }) => {
    const isSlow = seconds >= SLOW_SECONDS && route !== 'graphql stream'
    const level = status >= 500 || isSlow ? 'info' : 'debug'
    if (level === 'debug' && log.keepsDebug === false) return
    log[level](
      {
        requestId,
        method,
        route,
        ...(plugin === 'core' ? {} : { plugin }),
        status,
        ms: Math.round(seconds * 1e5) / 100,
        ...(operation === undefined ? {} : { operation: operation.slice(0, 100) }),
        ...(outcome === undefined ? {} : { outcome }),
      },
      'answered',
    )
  }
}
