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
 * Ends whatever Postgres still runs on the cluster folder, left behind by a process that was killed. To be called with
 * the data folder's lock held: then such a Postgres serves nobody. What the pid file says is not believed, since the
 * number may belong to another program by now, which would keep Postgres from starting.
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
  forgetForeignPid(join(cluster, 'postmaster.pid'))
  return before.length
}

/**
 * Removes a pid file whose number belongs to another program now. One whose process has ended stays: Postgres removes
 * it itself, after checking that nothing uses the shared memory that it names.
 */
function forgetForeignPid(file: string): void {
  const pid = Number(ifThere(() => readFileSync(file, 'utf8'))?.split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0) return
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return
  }
  rmSync(file, { force: true })
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

/**
 * The Postgres processes of the cluster. Each of them stays in its folder all its life; where we may not see that (a
 * container's root, of a process of nobody), the postmaster is known by its `-D`, and the others by their parent.
 */
function runningOn(cluster: string): readonly Found[] {
  if (process.platform !== 'linux') return fromPidFile(cluster)
  const folder = realpathSync(cluster)
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)))
  const own = new Set(
    all.filter(({ cwd, words }) => (cwd ?? words[words.indexOf('-D') + 1]) === folder).map(({ pid }) => pid),
  )
  return all
    .filter(({ pid, parent }) => own.has(pid) || own.has(parent))
    .map(({ pid, parent }) => ({ pid, isPostmaster: !own.has(parent) }))
}

interface PostgresProcess {
  readonly pid: number
  readonly parent: number
  /** Undefined if we may not see it. */
  readonly cwd: string | undefined
  readonly words: readonly string[]
}

/** The process, if it is a Postgres; nothing if it is not, or has ended meanwhile. */
function readProcess(pid: number): readonly PostgresProcess[] {
  const stat = ifThere(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // pid (comm) state ppid ...; comm may hold blanks
  const [, comm, state, parent] = /^\d+ \((.*)\) (\S+) (\d+)/s.exec(stat ?? '') ?? []
  if (comm !== 'postgres' || state === 'Z') return []
  const cwd = ifThere(() => readlinkSync(`/proc/${pid}/cwd`))
  const words = ifThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? []
  return [{ pid, parent: Number(parent), cwd, words }]
}

function ifThere(read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
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
