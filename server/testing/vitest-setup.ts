import { offerTestPostgres } from './postgres.ts'

/** vitest's globalSetup. */
export default offerTestPostgres
