import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseError } from '../errors.ts'

/**
 * Postgres refuses to run as root. So a root process runs it as nobody in a user namespace, where root's own files
 * stay readable; and where namespaces are not allowed, as the real user nobody.
 */
export interface Identity {
  /** Words to put before the program. */
  readonly prefix: readonly string[]
  /** Options for `spawn`. */
  readonly spawn: { readonly uid?: number; readonly gid?: number }
  /** The owner that Postgres's files need, seen from outside; undefined if it is just us. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

const NOBODY = 65_534
const UNSHARE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'] as const

/** As whom Postgres runs on this machine. `kind` forces one of the ways, for tests. */
export function findIdentity(kind?: 'namespace' | 'nobody'): Identity {
  if (process.getuid?.() !== 0) return { prefix: [], spawn: {}, owner: undefined }
  if (kind !== 'nobody' && spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status === 0)
    return { prefix: UNSHARE, spawn: {}, owner: { uid: 0, gid: 0 } }
  const nobody = { uid: idOfNobody('-u'), gid: idOfNobody('-g') }
  return { prefix: [], spawn: nobody, owner: nobody }
}

function idOfNobody(flag: '-u' | '-g'): number {
  try {
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  } catch {
    return NOBODY
  }
}

/** Gives a folder and all in it to the identity, if it belongs to another (the way of running may change). */
export function giveTo(identity: Identity, path: string): void {
  const owner = identity.owner
  if (owner === undefined || lstatSync(path).uid === owner.uid) return
  const walk = (entry: string): void => {
    const stat = lstatSync(entry)
    if (stat.isDirectory()) for (const name of readdirSync(entry)) walk(join(entry, name))
    // The folder itself comes last: a walk that was cut short is begun anew next time.
    if (!stat.isSymbolicLink()) chownSync(entry, owner.uid, owner.gid)
  }
  walk(path)
}

/** Checks that the identity gets to the path, opening our own data folder (not its files) to it. */
export function assertReachable(identity: Identity, path: string, dataDir: string): void {
  if (identity.spawn.uid === undefined) return
  if (path.startsWith(dataDir)) chmodSync(dataDir, 0o711)
  const found = spawnSync('test', ['-r', path], { ...identity.spawn, cwd: '/' })
  if (found.status === 0) return
  throw new DatabaseError(
    'DATA_UNUSABLE',
    `Postgres cannot run as root, and the user nobody cannot reach ${path}: start deaios as a normal user, ` +
      `use a data folder outside ${dirname(path)}, or set DATABASE_URL`,
  )
}
