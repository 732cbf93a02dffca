import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { allVectors } from './all.ts'

const computed = allVectors()

test('every format has its file of vectors, and no file is left over', async () => {
  const names = await readdir(new URL('.', import.meta.url))
  expect(names.filter((name) => name.endsWith('.json')).sort()).toEqual([...computed.keys()].sort())
})

test.each([...computed.keys()])('%s says what is computed (else run `node test/vectors/write.ts`)', async (name) => {
  expect(await readFile(new URL(name, import.meta.url), 'utf8')).toBe(computed.get(name))
})
