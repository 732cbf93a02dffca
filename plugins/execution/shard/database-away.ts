import { isRefusedByData } from './commit.ts'

const ENGINE_ERRORS = new Set(['SupplyError', 'CodecError', 'ForkedError', 'BadRunError', 'ModuleSetError'])

/** True if trying again may help: the database, not the block, is what failed. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && !isRefusedByData(error) && !ENGINE_ERRORS.has(error.name)
}
