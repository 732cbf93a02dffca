import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../server/testing/index.ts'
import { isRunning, type Program, type ProgramOptions, runNode, until } from '../server/testing/program.ts'

const main = new URL('../server/main.ts', import.meta.url).pathname
const config = (name: string) => new URL(`./fixtures/${name}.config.ts`, import.meta.url).pathname
const programs: Program[] = []
let data = ''

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'deaios-start-'))
})
afterEach(async () => {
  for (const { child, end } of programs.splice(0))
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
  await until(() => !isRunning(postmaster()), 'Postgres is gone')
  rmSync(data, { recursive: true, force: true })
})

function postmaster(): number {
  try {
    return Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    // Nothing was started, or it has ended.
    return 2 ** 30
  }
}

interface StartOptions extends ProgramOptions {
  readonly config?: string
  readonly port?: number
}

function start(options: StartOptions = {}): Program {
  const words = [main, 'start', '--port', String(options.port ?? 0), '--data', data]
  const { PATH } = process.env
  const program = runNode([...words, '--config', options.config ?? config('plain')], {
    ...options,
    env: { PATH, ...options.env },
  })
  programs.push(program)
  return program
}

const readyUrl = async (program: Program): Promise<string> => (await program.line('ready ')).slice('ready '.length)

async function ask(url: string, query: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return await (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })).json()
}

/** What a start that is refused says. */
async function refusal(options: StartOptions = {}): Promise<string> {
  const program = start(options)
  expect(await program.ended).toEqual({ code: 1, signal: null })
  expect(program.output.out).not.toContain('ready')
  return program.output.err
}

describe('deaios start', () => {
  it('says what it starts, answers, ends by Ctrl-C, and starts again', async () => {
    const first = start()
    const url = await readyUrl(first)
    expect(url).toMatch(/^http:\/\/localhost:\d+\/graphql$/)
    for (const text of ['plugins        weather 1.0.0', 'station        on the roof', 'A first query:', 'curl -s http'])
      expect(first.output.out).toContain(text)
    expect(await ask(url, '{ celsius network { name } plugins { name status } }')).toMatchObject({
      data: { celsius: 21, plugins: [{ name: 'weather', status: 'RUNNING' }] },
    })
    await first.end('SIGINT')
    expect(first.output.out).toMatch(/stopped\n$/)
    expect(first.output.err).toBe('')
    expect(first.child.exitCode).toBe(0)
    const second = start()
    expect(await ask(await readyUrl(second), '{ celsius }')).toEqual({ data: { celsius: 21 } })
    await second.end('SIGTERM')
    expect(second.child.exitCode).toBe(0)
  })

  it('answers the first query that it prints', async () => {
    const program = start()
    await program.line('ready ')
    const curl = /curl -s (\S+) .* -d '(.*)'/.exec(program.output.out)
    const { query } = JSON.parse(curl?.[2] ?? '')
    expect(await ask(curl?.[1] ?? '', query)).toMatchObject({ data: { plugins: [{ name: 'weather' }] } })
  })

  it('takes the Ctrl-C that npm repeats for the same one', async () => {
    const program = start()
    await program.line('ready ')
    program.child.kill('SIGINT')
    program.child.kill('SIGINT')
    await program.line('once more ends at once')
    program.child.kill('SIGINT')
    expect(await program.ended).toEqual({ code: 0, signal: null })
  })

  it('ends at once by a second Ctrl-C', async () => {
    const program = start({ config: config('hanging') })
    await program.line('ready ')
    program.child.kill('SIGINT')
    await program.line('once more ends at once')
    const impatience = setInterval(() => program.child.kill('SIGINT'), 100)
    expect(await program.ended).toEqual({ code: 130, signal: null })
    clearInterval(impatience)
  })

  it('starts after kill -9 at any moment', async () => {
    const moments = [50, 200, 350, 500, 700, 1000]
    for (const ms of moments) {
      const program = start()
      setTimeout(() => program.child.kill('SIGKILL'), ms)
      await program.ended
    }
    expect(await ask(await readyUrl(start()), '{ celsius }')).toEqual({ data: { celsius: 21 } })
    console.log(`kill -9 at ${moments.length} moments of the start`)
  })

  it('does not start on a network that uses a ledger module which this node lacks, and names it', async () => {
    const whole = start({ config: config('ledger') })
    await readyUrl(whole)
    await whole.end('SIGINT')
    const lacking = new URL('../deaios.config.ts', import.meta.url).pathname
    expect(await refusal({ config: lacking })).toMatch(
      /the network uses the ledger module "bomb", version 1: add its plugin to deaios\.config\.ts/,
    )
  })

  it.runIf(process.getuid?.() === 0)('works for a normal user', async () => {
    chownSync(data, 65_534, 65_534)
    const program = start({ uid: 65_534, gid: 65_534, env: { HOME: data } })
    expect(await ask(await readyUrl(program), '{ celsius }')).toEqual({ data: { celsius: 21 } })
    await program.end('SIGINT')
    expect(program.child.exitCode).toBe(0)
  })

  it('uses the database of DATABASE_URL, beside others that do', async () => {
    const database = await createTestDatabase()
    const { host, user, database: name } = database.options
    const env = { DATABASE_URL: `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host)}` }
    const own = data
    // Both bring the database up to date at the same time.
    const first = start({ env })
    data = mkdtempSync(join(tmpdir(), 'deaios-start-'))
    const second = start({ env })
    for (const program of [first, second])
      expect(await ask(await readyUrl(program), '{ celsius }')).toEqual({ data: { celsius: 21 } })
    await Promise.all([first.end('SIGINT'), second.end('SIGINT')])
    expect([first.child.exitCode, second.child.exitCode]).toEqual([0, 0])
    rmSync(data, { recursive: true })
    data = own
    await database.drop()
  })
})

describe('a start that cannot be says why in one line', () => {
  it('for a data folder in use', async () => {
    const first = start()
    await first.line('ready ')
    expect(await refusal()).toMatch(
      new RegExp(
        `^DATA_LOCKED: the data folder ${data} is in use by process ${first.pid} .*stop it, or choose another folder with --data\n$`,
      ),
    )
  })

  it('for a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await refusal({ port })).toBe(
      `PORT_TAKEN: port ${port} is in use by another program; choose another with --port\n`,
    )
    server.close()
  })

  it('for a config that cannot be read', async () => {
    const file = join(data, 'deaios.config.ts')
    writeFileSync(file, 'export default {\n  plugins: [\n}\n')
    expect(await refusal({ config: file })).toMatch(new RegExp(`^CONFIG_UNREADABLE: cannot read ${file}: .*\n$`))
  })

  it('for a database that cannot be reached', async () => {
    expect(await refusal({ env: { DATABASE_URL: 'postgres://me:hidden@127.0.0.1:1/x' } })).toBe(
      'DATABASE_UNREACHABLE: cannot reach the database me@127.0.0.1:1/x: connect ECONNREFUSED 127.0.0.1:1; ' +
        'check DATABASE_URL and that the server runs\n',
    )
  })

  it('for plugins that do not fit, one line each', async () => {
    const said = await refusal({ config: config('broken') })
    expect(said.split('\n')).toEqual([
      'PLUGINS_INVALID: 4 problems',
      expect.stringContaining('plugin "@acme/deaios-none": is not installed; run npm install @acme/deaios-none'),
      expect.stringContaining('plugin "weather": needs plugin API ^2.0.0, and this server offers 1.0.0'),
      expect.stringContaining('plugin "weather": depends on plugin "execution", which is not there'),
      expect.stringContaining('plugin "weather": config everySeconds: '),
      '',
    ])
  })

  it('for data of another version of Postgres', async () => {
    const first = start()
    await first.line('ready ')
    await first.end('SIGINT')
    cpSync(join(data, 'postgres', 'PG_VERSION'), join(data, 'PG_VERSION'))
    writeFileSync(join(data, 'postgres', 'PG_VERSION'), '15\n')
    expect(await refusal()).toMatch(/^POSTGRES_VERSION: .* was written by PostgreSQL 15, and this is 18; .*\n$/)
  })
})
