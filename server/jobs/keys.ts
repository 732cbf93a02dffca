/**
 * How a run's key is kept. Of one key, one run of a job waits or goes on at a time: all runs of a cron job have the same,
 * work with a key has the author's, and other work one of its own.
 */
export const CRON_KEY = 'cron'

export const givenKey = (key: string): string => `k:${key}`

/** @param id of the run */
export const ownKey = (id: string): string => `u:${id}`

/** The author's key; null for a run without one. */
export const keyOf = (kept: string | null): string | null => (kept?.startsWith('k:') === true ? kept.slice(2) : null)
