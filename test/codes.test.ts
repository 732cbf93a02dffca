import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url).pathname
const LAYERS = ['cli', 'client', 'plugins', 'protocol', 'schema', 'server']
/** Tests and what they share. */
const OF_TESTS = /\.test\.ts$|\/(testing|fixtures|generated)\/|testing\.ts$|-(story|samples)\.ts$|\/(written|fake)-/
/** Words of two and more parts that look like codes and are none. */
const NO_CODES = new Set([
  ...['DEAIOS_API_KEY', 'DEAIOS_KEYSTORE_KEY', 'DEAIOS_URL', 'PG_VERSION', 'SINGLE_OPERATOR'],
  // Of Node.js itself.
  ...['ERR_SCRIPT_EXECUTION_TIMEOUT', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_WORKER_OUT_OF_MEMORY', 'MODULE_NOT_FOUND'],
])
const WORDS = /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g
/** A code may be one word where it is given to an error or called one. */
const SINGLE = /(?:Error\(\s*|\b(?:invalid|refused)\(\s*|\bcode(?:: | = ))'([A-Z]{3,})'/g

/** Every file of the layers, without tests. */
async function sources(): Promise<readonly string[]> {
  const listed = execFileSync('git', ['ls-files', ...LAYERS], { cwd: root, encoding: 'utf8' })
  const files = listed.split('\n').filter((file) => file.endsWith('.ts') && !OF_TESTS.test(file))
  // One that was removed may not be committed yet.
  return Promise.all(files.map((file) => readFile(join(root, file), 'utf8').catch(() => '')))
}

it('docs/codes.md lists every code of an error, and none that is gone', async () => {
  const page = await readFile(join(root, 'docs/codes.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const codes = rows.flatMap((row) => [...row.slice(0, row.indexOf(' | ')).matchAll(/`([A-Z0-9_]+)`/g)])
  const listed = new Set(codes.map(([, code = '']) => code))
  expect(listed.size).toBeGreaterThan(200)
  const texts = await sources()
  const raised = texts.flatMap((text) => [...text.matchAll(WORDS), ...text.matchAll(SINGLE)])
  const unlisted = new Set(raised.map(([, code = '']) => code)).difference(listed.union(NO_CODES))
  const gone = [...listed, ...NO_CODES].filter((code) => !texts.some((text) => text.includes(code)))
  expect({ unlisted: [...unlisted], gone }).toEqual({ unlisted: [], gone: [] })
})
