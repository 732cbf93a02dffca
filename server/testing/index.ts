/** What plugins are tested with. */
export { createTestDatabase, type TestDatabase } from './test-database.ts'
export { createTestHost, type TestHost, type TestHostOptions } from './test-host.ts'
