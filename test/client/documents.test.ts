import { readdir, readFile } from 'node:fs/promises'
import { parse, print } from 'graphql'
import { expect, test } from 'vitest'
import * as operations from '../../client/operations.ts'

const folder = new URL('../../client/documents/', import.meta.url)
const normal = (text: string): string => print(parse(text))

test('the operations that the client sends are those of its documents', async () => {
  const written = await Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')))
  const sent = Object.values(operations).map((operation) => normal(operation.toString()))
  expect(sent.sort()).toEqual(written.map(normal).sort())
})
