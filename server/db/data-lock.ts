import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { DatabaseError, messageOf } from './errors.ts'

/** The exclusive right to a data folder. */
export interface DataLock {
  release(): void
}

const Holder = z.object({ pid: z.int(), since: z.string() })

/**
 * Takes the data folder (made if absent) for this process. The lock is the operating system's own, so it is gone
 * with the process however that ends, and nothing has to be cleaned up. Node offers no flock; SQLite's exclusive
 * transaction is the file lock that it does offer.
 *
 * Throws DATA_LOCKED, naming the process that holds it, or DATA_UNUSABLE if the folder cannot be written.
 */
export function lockDataFolder(dataDir: string): DataLock {
  const holderFile = join(dataDir, 'lock.json')
  let file: DatabaseSync
  try {
    makeFolder(dataDir)
    file = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 })
  } catch (error) {
    throw unusable(dataDir, error)
  }
  try {
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    if (!isBusy(error)) throw unusable(dataDir, error)
    throw new DatabaseError(
      'DATA_LOCKED',
      `the data folder ${dataDir} is in use by ${holderOf(holderFile)}; stop it, or choose another folder with --data`,
      error,
    )
  }
  writeFileSync(holderFile, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }))
  return { release: () => file.close() }
}

/** As `mkdir -p`; Node's own never returns where the parent can hold nothing, like /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 261)

const unusable = (dataDir: string, error: unknown): DatabaseError =>
  new DatabaseError('DATA_UNUSABLE', `cannot use ${dataDir} as data folder: ${messageOf(error)}`, error)

/** Who says to hold the lock. It writes its name just after locking, so a name may be missing for a moment. */
function holderOf(file: string): string {
  try {
    const holder = Holder.parse(JSON.parse(readFileSync(file, 'utf8')))
    return `process ${holder.pid} (since ${holder.since})`
  } catch {
    return 'another process'
  }
}
