import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../db/errors.ts'

/**
 * The id of the node that this data folder belongs to, made at its first start. The folder is locked while it runs, so
 * whatever the database says that this id holds was held by an earlier life of it.
 */
export function nodeId(dataDir: string): string {
  const file = join(dataDir, 'node-id')
  const known = readId(file)
  if (known !== undefined) return known
  const id = randomUUID()
  writeFileSync(file, `${id}\n`, { mode: 0o600 })
  return id
}

/** Undefined if there is none, or what a crash left of one. */
function readId(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
