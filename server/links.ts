/**
 * How a layer's own processes reach one another: by WebSocket, with a secret, in messages as `structuredClone` copies them;
 * and their databases by URL.
 */
export { parseDatabaseUrl } from './db/external.ts'
export { dial } from './peers/dial.ts'
export { Door } from './peers/door.ts'
export { MAX_BUFFERED } from './peers/messages.ts'
export { Wire } from './peers/wire.ts'
