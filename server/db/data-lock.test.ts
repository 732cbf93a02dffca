import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runNode } from '../testing/program.ts'
import { lockDataFolder } from './data-lock.ts'

const holder = new URL('../testing/fixtures/hold-lock.ts', import.meta.url).pathname
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deaios-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the lock of a data folder', () => {
  it('names the process that holds it', async () => {
    const other = runNode([holder, folder])
    await other.line('locked')
    expect(() => lockDataFolder(folder)).toThrow(
      new RegExp(`the data folder ${folder} is in use by process ${other.pid} \\(since 20.*\\); stop it`),
    )
    await other.end('SIGKILL')
  })

  it('is free as soon as its holder was killed', async () => {
    const other = runNode([holder, folder])
    await other.line('locked')
    await other.end('SIGKILL')
    lockDataFolder(folder).release()
  })

  it('excludes a second node in the same process, until it is released', () => {
    const first = lockDataFolder(folder)
    expect(() => lockDataFolder(folder)).toThrow('is in use by process')
    first.release()
    lockDataFolder(folder).release()
  })

  it('says so where no folder can be', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(() => lockDataFolder(join(file, 'data'))).toThrow(/cannot use .* as data folder: ENOTDIR/)
  })
})
