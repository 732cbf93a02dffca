import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLog } from './log.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deaios-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the log', () => {
  it('keeps JSON on disk, and shows warnings to people', () => {
    const shown: string[] = []
    const file = join(folder, 'logs', 'deaios.log')
    const log = openLog({ file, level: 'info', people: { write: (text) => shown.push(text) } })
    const weather = log.child({ plugin: 'weather' })
    weather.debug('too fine')
    weather.info({ height: 3 }, 'a block')
    weather.error({ error: new Error('no antenna') }, 'could not start')
    log.close()
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { level: 'info', plugin: 'weather', height: 3, msg: 'a block' },
      { level: 'error', msg: 'could not start', error: { message: 'no antenna', stack: expect.any(String) } },
    ])
    expect(shown).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d error weather: could not start error="no antenna"\n$/),
    ])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('leaves of a key in some text what is public of it', () => {
    const shown: string[] = []
    const file = join(folder, 'deaios.log')
    const log = openLog({ file, level: 'info', people: { write: (text) => shown.push(text) } })
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${'e'.repeat(40)}.${'s'.repeat(43)}`
    log.error({ error: new Error(`refused dk_Ab12_${'x-'.repeat(20)} and ${jwt}`) }, `with dk_Ab12_${'y'.repeat(43)}`)
    log.close()
    for (const text of [readFileSync(file, 'utf8'), shown.join('')]) {
      expect(text).toContain('with dk_Ab12_[redacted]')
      expect(text).not.toMatch(/x-x-|yyyy|ssss|eeee/)
    }
  })

  it('never holds a secret', () => {
    const shown: string[] = []
    const file = join(folder, 'deaios.log')
    const log = openLog({ file, level: 'info', people: { write: (text) => shown.push(text) } })
    log.warn(
      { secretKey: 'hidden', key: { seed: 'hidden' }, request: { headers: { authorization: 'hidden' } } },
      'careful',
    )
    log.close()
    expect(readFileSync(file, 'utf8') + shown.join('')).not.toContain('hidden')
    expect(shown.join('')).toContain('[redacted]')
  })
})
