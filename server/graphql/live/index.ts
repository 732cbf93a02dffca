/** Subscriptions: what identical ones share, and how each client reads them. */
export type { Message } from './message.ts'
export { Reader } from './reader.ts'
export { ResultStream } from './result-stream.ts'
export { type EventPosition, Subscriptions } from './subscriptions.ts'
