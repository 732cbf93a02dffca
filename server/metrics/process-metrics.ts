import { collectDefaultMetrics, Registry } from 'prom-client'

/**
 * Metrics of this process: memory, processor time, garbage collection, delay of the event loop, open files, under the
 * names that dashboards for Node know. To be called once in a process; it measures until the end of it.
 */
export function processMetrics(): () => Promise<string> {
  const register = new Registry()
  collectDefaultMetrics({ register })
  return () => register.metrics()
}
