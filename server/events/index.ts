/** Events that exist if and only if their data does, read in commit order. */
export { encodeBatch } from './batch.ts'
export { StreamEnd, type StreamEndCode } from './errors.ts'
export { createEvents, type EventsOptions, type EventsService } from './events.ts'
