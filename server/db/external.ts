import { userInfo } from 'node:os'
import type { DatabaseOptions } from '../plugin/sql.ts'
import { DatabaseError } from './errors.ts'

const SSL_MODES = new Map<string, DatabaseOptions['ssl']>([
  ['require', 'require'],
  ['prefer', 'prefer'],
  ['verify-full', 'verify-full'],
  ['disable', undefined],
])

/**
 * Reads `postgres://user:password@host:port/database?sslmode=require`; for a unix socket give its folder as
 * `?host=/var/run/postgresql`. The URL may hold a password, so no message repeats it.
 */
export function parseDatabaseUrl(text: string): DatabaseOptions {
  if (!URL.canParse(text)) throw invalid('it is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')
    throw invalid(`it begins with ${url.protocol}, and must begin with postgres:`)
  const mode = url.searchParams.get('sslmode') ?? 'disable'
  if (!SSL_MODES.has(mode)) throw invalid(`sslmode ${mode} is not one of ${[...SSL_MODES.keys()].join(', ')}`)
  const ssl = SSL_MODES.get(mode)
  const user = decodeURIComponent(url.username) || userInfo().username
  return {
    host: url.searchParams.get('host') ?? (url.hostname.replace(/^\[|\]$/g, '') || 'localhost'),
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    user,
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(ssl === undefined ? {} : { ssl }),
    searchPath: ['public'],
  }
}

const invalid = (reason: string): DatabaseError =>
  new DatabaseError(
    'DATABASE_URL_INVALID',
    `the database URL cannot be used: ${reason}; write postgres://user:password@host:port/database`,
  )

/** Which database it is, for people; without the password. */
export const describeDatabase = ({ host, port, database, user }: DatabaseOptions): string =>
  host.startsWith('/') ? `${user}@${host}/${database}` : `${user}@${host}:${port}/${database}`
