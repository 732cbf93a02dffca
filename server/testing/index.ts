/** What plugins are tested with. */
export { TestKitError, type TestKitErrorCode } from './errors.ts'
export { until } from './program.ts'
export type { TestCaller } from './test-caller.ts'
export { type TestClock, testClock } from './test-clock.ts'
export { createTestDatabase, type TestDatabase } from './test-database.ts'
export { createTestHost, type TestHost, type TestHostOptions } from './test-host.ts'
export type { TestRequestOptions } from './test-requests.ts'
export type { TestSubscription } from './test-subscription.ts'
