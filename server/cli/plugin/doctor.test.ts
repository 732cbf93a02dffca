import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnose } from './doctor.ts'

const authorApi = new URL('../../plugin.ts', import.meta.url).pathname
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-doctor-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A plugin in a file of its own. */
const write = (name: string, definition: string): Promise<void> =>
  writeFile(
    join(folder, `${name}.ts`),
    `import { definePlugin, typeRef } from '${authorApi}'
     export default definePlugin({ name: '${name}', version: '1.0.0', api: '^1.0.0', ${definition} })`,
  )

async function problems(...plugins: readonly string[]): Promise<readonly string[]> {
  const config = join(folder, 'deaios.config.ts')
  const names = plugins.map((name) => `'./${name}.ts'`)
  await writeFile(config, `export default { plugins: [${names.join(', ')}] }`)
  const found = await diagnose({ config }, { problems: () => [] })
  return found.problems.map(({ code, plugin, problem }) => `${code} ${plugin}: ${problem}`)
}

describe('the doctor', () => {
  it('finds what is wrong with types and migrations too, without starting anything', async () => {
    await mkdir(join(folder, 'migrations'))
    await writeFile(join(folder, 'migrations/first.sql'), 'not even SQL')
    await write(
      'weather',
      "migrations: new URL('./migrations/', import.meta.url), start() { throw new Error('started') }",
    )
    await write(
      'rival',
      "graphql: (b) => b.objectField(b.refOf(typeRef('Moon')), 'phase', (t) => t.int({ resolve: () => 1 }))",
    )
    expect(await problems('weather', 'rival')).toEqual([
      'MIGRATION_NAME weather: first.sql must be named like 001-tables.sql',
      'TYPE_MISSING rival: it uses the type Moon, which no loaded plugin defines. Add the plugin that does.',
    ])
  })

  it('finds nothing where there is nothing, and names who is there', async () => {
    await write('weather', "dependsOn: { sun: '^1.0.0' }")
    await write('sun', '')
    const config = join(folder, 'deaios.config.ts')
    await writeFile(config, "export default { plugins: ['./weather.ts', './sun.ts'] }")
    expect(await diagnose({ config }, { problems: () => [] })).toEqual({
      plugins: [
        { name: 'sun', version: '1.0.0' },
        { name: 'weather', version: '1.0.0' },
      ],
      problems: [],
    })
  })
})
