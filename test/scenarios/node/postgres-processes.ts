import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

/** The process id that a cluster's pid file names; undefined if there is none. */
function postmaster(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    // Postgres is not running, or was never there.
    return undefined
  }
}

/** All processes of a node's Postgres that run now: the postmaster first, then its children. */
export function postgresProcesses(dataDir: string): readonly number[] {
  const root = postmaster(dataDir)
  if (root === undefined) return []
  const parents = parentsOf()
  return parents.has(root) ? [root, ...[...parents].filter(([, parent]) => parent === root).map(([pid]) => pid)] : []
}

/**
 * Processes that work in the cluster's folder without belonging to its postmaster: what an earlier one left behind.
 * Only Linux tells; elsewhere there seem to be none.
 */
export function strayPostgres(dataDir: string): readonly number[] {
  if (process.platform !== 'linux') return []
  const cluster = realpathSync(join(dataDir, 'postgres'))
  const inFolder = [...parentsOf().keys()].filter((pid) => workingFolder(pid) === cluster)
  const known = new Set(postgresProcesses(dataDir))
  return inFolder.filter((pid) => !known.has(pid))
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    // It has ended, or is not ours to look into.
    return undefined
  }
}

/** Sends a signal to each; those that have ended meanwhile do not matter. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended.
    }
  }
}

/** Every process and its parent. Where there is no /proc, `ps` knows. */
function parentsOf(): Map<number, number> {
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    return new Map(
      lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([pid = 0, parent = 0]) => [pid, parent]),
    )
  }
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
      // A zombie only waits to be counted by its parent.
      if (state !== 'Z') parents.set(Number(name), Number(parent))
    } catch {
      // It has ended.
    }
  }
  return parents
}
