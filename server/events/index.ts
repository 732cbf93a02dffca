/** Events that exist if and only if their data does, read in commit order. */
export { encodeBatch } from './batch.ts'
export { createEvents, type EventsService } from './events.ts'
