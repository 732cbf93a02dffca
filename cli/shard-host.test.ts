import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from './testing.ts'

const CONFIG = fileURLToPath(new URL('../test/fixtures/plain.config.ts', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-shard-host-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function refused(...words: string[]): Promise<string> {
  const { code, out, err } = await command(
    ...['shard-host', '--listen', '127.0.0.1:0', '--data', folder, '--config', CONFIG, ...words],
  )
  expect({ code, out }).toEqual({ code: 1, out: '' })
  return err
}

describe('the database of a shard host', () => {
  it('may be named in a file, and nobody is told the password in it', async () => {
    const file = join(folder, 'url')
    for (const [url, code] of [
      ['http://deaios:hidden-word@localhost/x', 'DATABASE_URL_INVALID'],
      ['postgres://deaios:hidden-word@127.0.0.1:1/x', 'DATABASE_UNREACHABLE'],
    ] as const) {
      await writeFile(file, `${url}\n`, { mode: 0o600 })
      const said = await refused('--database-file', file)
      expect(said).toContain(code)
      expect(said).not.toContain('hidden-word')
    }
  })

  it('is named once, in a file that can be read', async () => {
    expect(await refused('--database-file', '/none')).toMatch(/^DATABASE_FILE: .*ENOENT/)
    expect(await refused('--database-file', '/none', '--database', 'postgres://x/y')).toMatch(/^DATABASE_TWICE: /)
  })
})
