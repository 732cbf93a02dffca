import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import * as operations from '../../client/operations.ts'

const folder = new URL('../../client/documents/', import.meta.url)

test('the texts that the client sends are those of its documents', async () => {
  const written = await Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')))
  expect(Object.values(operations).map(String).sort()).toEqual(written.sort())
})
