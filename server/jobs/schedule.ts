import { CronExpressionParser } from 'cron-parser'

/** Why a text is no schedule; undefined if it is one. */
export function scheduleProblem(schedule: string, now: number): string | undefined {
  const fields = schedule.split(/\s+/).filter((field) => field !== '')
  if (fields.length !== 5)
    return `it has ${fields.length} fields, and needs five: minute, hour, day of month, month, day of week`
  // The parser takes it for "some time or other", and means another one at each call.
  if (fields.some((field) => /(^|[^a-z])h($|[^a-z])/i.test(field))) return 'H is no time'
  try {
    nextTime(schedule, now)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * When a schedule is due next.
 * @param schedule five fields, in UTC
 * @param after milliseconds since 1970, exclusive
 * @throws Error if the text is no schedule, or one that never comes
 */
export const nextTime = (schedule: string, after: number): number =>
  CronExpressionParser.parse(schedule, { tz: 'UTC', currentDate: new Date(after) })
    .next()
    .getTime()
