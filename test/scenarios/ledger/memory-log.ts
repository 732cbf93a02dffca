import type { Log } from '../../../server/plugin.ts'

/** One entry of a log. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps warnings and errors, so that a test can see what a ledger complained about. */
export function memoryLog(): { readonly log: Log; readonly entries: readonly LogEntry[] } {
  const entries: LogEntry[] = []
  const line =
    (level: LogEntry['level']) =>
    (first: string | Record<string, unknown>, message?: string): void => {
      if (level === 'debug' || level === 'info') return
      if (typeof first === 'string') entries.push({ level, message: first, fields: {} })
      else entries.push({ level, message: message ?? '', fields: first })
    }
  const log: Log = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => log,
  }
  return { log, entries }
}
