import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf, DatabaseError } from '../errors.ts'
import type { Binaries } from './binaries.ts'
import { assertReachable, giveTo, type Identity } from './identity.ts'
import { endOrphans } from './orphans.ts'

const DRAFT = '.new-'

export const CLUSTER_USER = 'deaios'
/** Part of the socket's file name; nothing listens on a network. */
export const CLUSTER_PORT = 5432

/**
 * The folder of the database files, initialised if it is new (about a second). It is filled under another name and
 * then renamed, so a half-made one is never taken for a database.
 */
export async function prepareCluster(dataDir: string, binaries: Binaries, identity: Identity): Promise<string> {
  const cluster = join(realpathSync(dataDir), 'postgres')
  if (!existsSync(cluster)) {
    await removeDrafts(realpathSync(dataDir))
    // A name of its own: an initdb that outlived a killed node may still be writing into an earlier draft.
    const draft = mkdtempSync(`${cluster}${DRAFT}`)
    giveTo(identity, draft)
    assertReachable(identity, draft, dataDir)
    assertReachable(identity, binaries.postgres, dataDir)
    await initialise(draft, binaries, identity)
    renameSync(draft, cluster)
  }
  giveTo(identity, cluster)
  assertReachable(identity, cluster, dataDir)
  return cluster
}

/** Removes what starts that were killed left half made. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(`postgres${DRAFT}`))) {
    const draft = join(folder, name)
    await endOrphans(draft)
    try {
      rmSync(draft, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    } catch (error) {
      // An orphaned initdb still fills it; without its files it soon gives up, and the next start removes the rest.
      if (codeOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}

async function initialise(folder: string, binaries: Binaries, identity: Identity): Promise<void> {
  const made = await run(identity, binaries.initdb, [
    `--pgdata=${folder}`,
    `--username=${CLUSTER_USER}`,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ])
  if (made.status !== 0)
    throw new DatabaseError('POSTGRES_FAILED', `cannot initialise a database in ${folder}: ${made.output.trim()}`)
  // Not every platform's binaries know lz4, so it is tried once and written down.
  const lz4 = await run(identity, binaries.postgres, [
    '-D',
    folder,
    '-C',
    'wal_compression',
    '-c',
    'wal_compression=lz4',
  ])
  if (lz4.status === 0) appendFileSync(join(folder, 'postgresql.conf'), '\nwal_compression = lz4\n')
}

/**
 * A folder for the unix socket that only we can enter: in the data folder, or, where that makes the path too long
 * for a socket address, in the system's folder for temporary files.
 */
export function socketFolder(dataDir: string, identity: Identity): string {
  const near = join(realpathSync(dataDir), 'run')
  const digest = createHash('sha256').update(near).digest('hex').slice(0, 16)
  const folder = `${near}/.s.PGSQL.${CLUSTER_PORT}.lock`.length < 104 ? near : join(tmpdir(), `deaios-${digest}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  giveTo(identity, folder)
  const stat = lstatSync(folder)
  const uid = identity.owner?.uid ?? process.getuid?.()
  if (!stat.isDirectory() || stat.uid !== uid)
    throw new DatabaseError('DATA_UNUSABLE', `${folder} belongs to another user; remove it, or use a shorter --data`)
  chmodSync(folder, 0o700)
  return folder
}

async function run(
  identity: Identity,
  program: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly output: string }> {
  const [command = program, ...rest] = [...identity.prefix, program, ...args]
  const child = spawn(command, rest, { ...identity.spawn, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}
