import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../log.ts'
import { isRunning, type Program, type ProgramOptions, runNode, until } from '../../testing/program.ts'
import { connect } from '../connect.ts'
import { openDatabase } from '../database.ts'
import { linkLibraries } from './binaries.ts'
import { startEmbeddedPostgres } from './supervisor.ts'

const isRoot = process.getuid?.() === 0
const NOBODY = 65_534
const program = new URL('../../testing/fixtures/hold-database.ts', import.meta.url).pathname
const programs: Program[] = []
let dataDir = ''

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'deaios-embedded-'))
})
afterEach(async () => {
  for (const { child, end } of programs.splice(0))
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
  await until(() => !isServed(dataDir), 'Postgres is gone')
  rmSync(dataDir, { recursive: true, force: true })
})

/** Whether the Postgres that wrote the pid file runs. */
function isServed(folder: string): boolean {
  const file = join(folder, 'postgres', 'postmaster.pid')
  return existsSync(file) && isRunning(Number(readFileSync(file, 'utf8').split('\n')[0]))
}

/** A process that holds the database; resolves with the id of its Postgres when it has written a row. */
async function hold(options: ProgramOptions = {}): Promise<{ node: Program; postmaster: number }> {
  const node = runNode([program, dataDir], options)
  programs.push(node)
  return { node, postmaster: Number(await node.line('')) }
}

const open = () => openDatabase({ dataDir, log: silentLog })

async function countRows(): Promise<number> {
  const database = await open()
  const rows = await database.sql('public')`select n from kept`
  await database.close()
  return rows.count
}

describe('the embedded Postgres', () => {
  it('keeps its data from one start to the next, behind a socket that only its owner can enter', async () => {
    const database = await open()
    const sql = database.sql('public')
    await sql`create table kept as select 'ä' as text`
    expect(await sql`select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync`).toEqual(
      [{ encoding: 'UTF8', fsync: 'on' }],
    )
    expect(await sql`select 9007199254740993::int8 as big`).toEqual([{ big: 9007199254740993n }])
    expect(statSync(database.options('x').host).mode & 0o777).toBe(0o700)
    await database.close()
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false)
    const again = await open()
    expect(await again.sql('public')`select text from kept`).toEqual([{ text: 'ä' }])
    await again.close()
  })

  it('ends when its node is killed, and the next start finds what was committed', async () => {
    const { node, postmaster } = await hold()
    await node.end('SIGKILL')
    await until(() => !isRunning(postmaster), 'Postgres ended')
    expect(await countRows()).toBe(1)
  })

  it('does not keep the next start waiting that comes at once', async () => {
    for (const expected of [1, 2, 3]) {
      const { node } = await hold()
      await node.end('SIGKILL')
      expect(await countRows()).toBe(expected)
    }
  })

  it('is ended by the next start if even its guardian was killed', async () => {
    const { node, postmaster } = await hold()
    process.kill(guardianOf(postmaster), 'SIGKILL')
    await node.end('SIGKILL')
    expect(isRunning(postmaster)).toBe(true)
    expect(await countRows()).toBe(1)
    await until(() => !isRunning(postmaster), 'the orphan has ended')
  })

  it('is not kept from starting by a pid file that names another program', async () => {
    await (await open()).close()
    const socket = join(dataDir, 'run')
    const lines = [process.pid, join(dataDir, 'postgres'), 1_700_000_000, 5432, socket, '', '1 1', 'ready']
    writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), `${lines.join('\n')}\n`)
    writeFileSync(join(socket, '.s.PGSQL.5432.lock'), `${lines.join('\n')}\n`)
    const database = await open()
    expect(await database.sql('public')`select 1 as one`).toEqual([{ one: 1 }])
    await database.close()
  })

  it('is not confused by an initialisation that was cut short', async () => {
    mkdirSync(join(dataDir, 'postgres.new'))
    writeFileSync(join(dataDir, 'postgres.new', 'PG_VERSION'), '18')
    await (await open()).close()
  })

  it('is started again after a crash, and connections find it', async () => {
    const database = await open()
    const sql = database.sql('public')
    await sql`create table kept (n int)`
    await sql`insert into kept values (1)`
    const seen: string[] = []
    database.onChange(({ status }) => seen.push(status))
    process.kill(Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
    await until(() => seen.includes('up'), 'it is back')
    expect(seen).toEqual(['down', 'up'])
    expect((await sql`select n from kept`).count).toBe(1)
    await database.close()
  })

  it('finds another place for its socket where the path is too long for one', async () => {
    const outer = dataDir
    dataDir = join(dataDir, 'x'.repeat(100))
    mkdirSync(dataDir)
    const database = await open()
    const { host } = database.options('public')
    expect(host.startsWith(join(tmpdir(), 'deaios-'))).toBe(true)
    await database.close()
    rmSync(host, { recursive: true })
    dataDir = outer
  })

  it('tells in one line about data of another version', async () => {
    await (await open()).close()
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '17\n')
    await expect(open()).rejects.toMatchObject({
      code: 'POSTGRES_VERSION',
      message: expect.stringContaining('was written by PostgreSQL 17, and this is 18'),
    })
  })

  it('tells in one line why it cannot start', async () => {
    await (await open()).close()
    writeFileSync(join(dataDir, 'postgres', 'postgresql.conf'), 'nonsense = on\n')
    await expect(open()).rejects.toMatchObject({
      code: 'POSTGRES_FAILED',
      message: expect.stringMatching(/Postgres ended at start .*FATAL.*; see .*postgres\.log$/),
    })
  })

  it.runIf(isRoot)('runs for a normal user', async () => {
    chownSync(dataDir, NOBODY, NOBODY)
    const { node, postmaster } = await hold({ uid: NOBODY, gid: NOBODY, env: { HOME: dataDir } })
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(NOBODY)
    await node.end('SIGTERM')
    // Who started it has seen it end; the kernel may still have its entry.
    await until(() => !isRunning(postmaster), 'Postgres ended')
  })

  it.runIf(isRoot)('runs for root where namespaces are not allowed, and changes ways on the same data', async () => {
    const owner = () => statSync(join(dataDir, 'postgres', 'PG_VERSION')).uid
    for (const [runAs, uid] of [
      ['nobody', NOBODY],
      ['namespace', 0],
      ['nobody', NOBODY],
    ] as const) {
      const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, runAs })
      const sql = connect(postgres.options, { max: 1 })
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
      await sql.end()
      await postgres.stop()
      expect(owner()).toBe(uid)
    }
    const closed = join(dataDir, 'closed')
    mkdirSync(join(closed, 'data'), { recursive: true })
    chmodSync(closed, 0o700)
    await expect(
      startEmbeddedPostgres({ dataDir: join(closed, 'data'), log: silentLog, runAs: 'nobody' }),
    ).rejects.toThrow('the user nobody cannot reach')
  })
})

describe('the libraries of the Postgres programs', () => {
  it('are linked if npm ran no install scripts', () => {
    const native = join(dataDir, 'native')
    mkdirSync(native)
    writeFileSync(join(native, 'libx.so.5.1'), 'x')
    const links = [{ source: 'native/libx.so.5.1', target: 'native/libx.so.5' }]
    writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links))
    linkLibraries(dataDir)
    linkLibraries(dataDir)
    expect(readFileSync(join(native, 'libx.so.5'), 'utf8')).toBe('x')
  })
})

/** The shell that watches over a Postgres: its last word is the Postgres's id. */
function guardianOf(postmaster: number): number {
  for (let pid = postmaster; pid < postmaster + 200; pid++) {
    const file = `/proc/${pid}/cmdline`
    if (existsSync(file) && readFileSync(file, 'utf8').endsWith(`deaios-postgres-guardian\0${postmaster}\0`)) return pid
  }
  throw new Error('there is no guardian')
}
