import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, DatabaseError } from '../errors.ts'

/** Fast shutdown, then immediate shutdown, then the end; each with the milliseconds it is given. */
const ESCALATION: readonly (readonly [signal: NodeJS.Signals, ms: number])[] = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
]

/**
 * Ends whatever Postgres still runs on the cluster folder, left behind by a process that was killed, and removes its
 * pid file. To be called with the data folder's lock held: then such a Postgres serves nobody. What the pid file says
 * is not believed, since the number may belong to another program by now, which would keep Postgres from starting.
 *
 * @returns how many processes there were.
 */
export async function endOrphans(cluster: string): Promise<number> {
  const before = runningOn(cluster)
  for (const [signal, ms] of before.length === 0 ? [] : ESCALATION) {
    const deadline = Date.now() + ms
    // Fast and immediate shutdown are for the postmaster to pass on; a backend would only cancel its statement.
    for (const found of runningOn(cluster)) if (found.isPostmaster || signal === 'SIGKILL') kill(found.pid, signal)
    while (Date.now() < deadline && runningOn(cluster).length > 0) await sleep(20)
    if (runningOn(cluster).length === 0) break
  }
  const left = runningOn(cluster)
  if (left.length > 0)
    throw new DatabaseError(
      'POSTGRES_FAILED',
      `an earlier Postgres on ${cluster} does not end; end process ${left.map((p) => p.pid).join(', ')} by hand`,
    )
  rmSync(join(cluster, 'postmaster.pid'), { force: true })
  return before.length
}

interface Found {
  readonly pid: number
  readonly isPostmaster: boolean
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

/** The Postgres processes whose working folder is the cluster; every Postgres process stays there all its life. */
function runningOn(cluster: string): readonly Found[] {
  if (process.platform !== 'linux') return fromPidFile(cluster)
  const folder = realpathSync(cluster)
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    try {
      if (readlinkSync(`/proc/${name}/cwd`) !== folder) continue
      // pid (comm) state ppid ...; comm may hold blanks
      const [, comm, ppid] = /^\d+ \((.*)\) \S+ (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
      if (comm === 'postgres') parents.set(pid, Number(ppid))
    } catch {
      // Ended meanwhile, or another user's: neither is ours.
    }
  }
  return [...parents].map(([pid, parent]) => ({ pid, isPostmaster: !parents.has(parent) }))
}

function fromPidFile(cluster: string): readonly Found[] {
  try {
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
    const command = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    return command.includes('postgres') && command.includes(cluster) ? [{ pid, isPostmaster: true }] : []
  } catch {
    // No file, or no such process.
    return []
  }
}
