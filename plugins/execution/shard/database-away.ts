import { isRefusedByData } from './commit.ts'

const ENGINE_ERRORS = new Set(['SupplyError', 'CodecError', 'ForkedError', 'BadRunError', 'ModuleSetError'])

/** Of the system (ENOENT: the socket of a local server), of the drivers, and of a server that ends, starts or is full. */
const AWAY_CODE =
  /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT|CONNECT_TIMEOUT|CONNECTION_[A-Z]+|08[0-9A-Z]{3}|57P[0-9A-Z]{2}|53300)$/

/** True for codes of errors which say that the database cannot be reached now, whatever it was asked. */
export const isAwayCode = (code: string): boolean => AWAY_CODE.test(code)

/** True if trying again may help: the database, not the block, is what failed. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && !isRefusedByData(error) && !ENGINE_ERRORS.has(error.name)
}
