import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import vm from 'node:vm'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
// Imports of types alone are gone when the program runs.
const imported = /(?:import|export)\b(?!\s+type\b)[^'"]*?from\s*'([^']+)'|import\s*\(?\s*'([^']+)'/g

/** Every file of ours that an entry reaches in a browser, and every package. */
async function reach(entry: string): Promise<{ readonly files: Set<string>; readonly packages: Set<string> }> {
  const files = new Set<string>()
  const packages = new Set<string>()
  const { imports } = JSON.parse(await readFile(resolve(root, 'package.json'), 'utf8'))
  const visit = async (file: string): Promise<void> => {
    if (files.has(file)) return
    files.add(file)
    for (const match of (await readFile(file, 'utf8')).matchAll(imported)) {
      const name = match[1] ?? match[2] ?? ''
      if (name.startsWith('.')) await visit(resolve(dirname(file), name))
      else if (name.startsWith('#')) await visit(resolve(root, imports[name].default))
      else packages.add(name)
    }
  }
  await visit(resolve(root, entry))
  return { files, packages }
}

describe('the client in a browser', () => {
  test('imports nothing of Node, directly or through protocol/', async () => {
    const { files, packages } = await reach('client/index.ts')
    expect([...packages].sort()).toEqual(['@noble/hashes/sha2.js', 'graphql-ws/client', 'tweetnacl'])
    const folders = new Set([...files].map((file) => file.slice(root.length + 1).split('/')[0]))
    expect([...folders].sort()).toEqual(['client', 'protocol'])
    expect([...files].some((file) => file.endsWith('sha256-web.ts'))).toBe(true)
    expect([...files].some((file) => file.endsWith('sha256-node.ts'))).toBe(false)
  })

  test('bundled, it signs what the vectors say, where there is no Node', async () => {
    const bundle = await rolldown({ input: resolve(root, 'client/index.ts'), platform: 'browser', cwd: root })
    const { output } = await bundle.generate({ format: 'iife', name: 'deaios' })
    await bundle.close()
    expect(output).toHaveLength(1)
    const [vector] = JSON.parse(await readFile(resolve(root, 'test/vectors/transaction.json'), 'utf8')).cases
    const sandbox = vm.createContext({
      TextEncoder,
      TextDecoder,
      AbortSignal,
      setTimeout,
      clearTimeout,
      fetch: () => Promise.reject(new Error('no network here')),
      vector,
    })
    vm.runInContext(output[0].code, sandbox)
    const made: unknown = vm.runInContext(
      `(() => {
        const { fromHex, toHex, keyPairFromSeed, signTransaction, transfer, createClient } = deaios
        const keys = keyPairFromSeed(vector.seed)
        createClient({ url: 'http://localhost/graphql', key: keys })
        const [action] = vector.actions
        const { id, wire } = signTransaction({
          network: fromHex(vector.network), realm: vector.realm, lane: vector.lane, nonce: vector.nonce,
          validUntil: vector.validUntil, maxFee: BigInt(vector.maxFee),
          actions: [transfer(action.to, BigInt(action.value))],
        }, keys)
        return JSON.stringify({ id, wire: toHex(wire) })
      })()`,
      sandbox,
    )
    expect(JSON.parse(String(made))).toEqual({ id: vector.id, wire: vector.wire })
  })
})
