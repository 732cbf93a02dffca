/** How long a test waits for something to happen, in milliseconds. */
export const PATIENCE_MS = 10_000
