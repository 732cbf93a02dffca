import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyPairFromSeed } from '../client/index.ts'
import { type Program, runNode, until } from '../server/testing/program.ts'

const main = new URL('../server/main.ts', import.meta.url).pathname
const config = new URL('./fixtures/plain.config.ts', import.meta.url).pathname
const data = mkdtempSync(join(tmpdir(), 'deaios-identity-'))
const where = ['--data', data, '--config', config]
const env = { PATH: process.env.PATH }

let node: Program
let url = ''
let operator = ''
const secrets: string[] = []

/** Runs `deaios`, and gives what it answers with --json. */
async function deaios(...words: string[]) {
  const program = runNode([main, ...words, '--json', ...where], { env })
  const { code } = await program.ended
  if (code !== 0) throw new Error(program.output.err)
  return JSON.parse(program.output.out)
}

async function ask(query: string, token?: string) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { 'content-type': 'application/json', ...authorization }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
  return { status: response.status, ...JSON.parse(await response.text()) }
}

/** A custodial account, with a key that may take its secret out. */
async function account(name: string): Promise<{ token: string; address: string }> {
  const scopes = '["keys:write", "wallet:export", "wallet:send"]'
  const query = `mutation { createAccount(name: "${name}", key: { name: "k", scopes: ${scopes} }) {
    ... on AccountCreated { token account { address } } ... on UserError { code } } }`
  const { data: made } = await ask(query, operator)
  secrets.push(made.createAccount.token)
  return { token: made.createAccount.token, address: made.createAccount.account.address }
}

async function exported(token: string): Promise<string> {
  const { data: given } = await ask('mutation { exportWallet { ... on WalletExported { seed } } }', token)
  secrets.push(given.exportWallet.seed.slice(2))
  return keyPairFromSeed(given.exportWallet.seed).address
}

beforeAll(async () => {
  // The first key of all is made before there is a node.
  const made = await deaios('key', 'create', '--name', 'first')
  operator = made.token
  secrets.push(operator)
  node = runNode([main, 'start', '--port', '0', ...where], { env })
  url = (await node.line('ready ')).slice('ready '.length)
})
afterAll(async () => {
  await node?.end('SIGTERM')
  rmSync(data, { recursive: true, force: true })
})

it('an operator makes the first key by the command line, and the node knows it', async () => {
  const { data: answer } = await ask('{ me { kind account scopes key { name } } }', operator)
  expect(answer.me).toEqual({ kind: 'KEY', account: null, scopes: ['*'], key: { name: 'first' } })
  expect((await ask('{ auditLog { edges { cursor } } }')).errors[0].extensions.code).toBe('UNAUTHENTICATED')
})

it('keys are made, listed and ended beside the running node, which hears of it', async () => {
  const made = await deaios('key', 'create', '--scopes', 'audit:read', '--expires', '1d', '--rate', '100')
  secrets.push(made.token)
  const { data: log } = await ask('{ auditLog { edges { node { actor action target } } } }', made.token)
  expect(log.auditLog.edges[0].node).toEqual({ actor: 'console', action: 'createApiKey', target: made.id })
  expect(await deaios('key', 'list')).toMatchObject([{ name: 'first' }, { id: made.id, scopes: ['audit:read'] }])
  await deaios('key', 'revoke', made.id)
  await until(async () => (await ask('{ plugins { name } }', made.token)).status === 401, 'the key is none any more')
  await expect(deaios('key', 'revoke', 'ffffffffffffffff')).rejects.toThrow(/^KEY_UNKNOWN: /)
})

it('the master key is rotated while the node runs: old and new accounts open', async () => {
  const before = await account('before')
  const old = readFileSync(join(data, 'keystore.key'), 'utf8')
  secrets.push(old.trim())
  expect(await deaios('keystore', 'rotate')).toMatchObject({ accounts: 1 })
  const both = readFileSync(join(data, 'keystore.key'), 'utf8')
  expect(both.endsWith(old)).toBe(true)
  expect(await exported(before.token)).toBe(before.address)
  const after = await account('after')
  expect(await deaios('keystore', 'rotate', '--drop-old')).toMatchObject({ accounts: 2 })
  const last = readFileSync(join(data, 'keystore.key'), 'utf8')
  expect(last).toMatch(/^[0-9a-f]{64}\n$/)
  expect(both).not.toContain(last.trim())
  secrets.push(...both.trim().split('\n'), last.trim())
  for (const { token, address } of [before, after, await account('last')]) expect(await exported(token)).toBe(address)
})

it('no secret is in what the node says or logs', () => {
  const said = node.output.out + node.output.err + readFileSync(join(data, 'logs', 'deaios.log'), 'utf8')
  expect(said).toContain('audit')
  for (const secret of secrets) expect(said).not.toContain(secret.slice(20))
})
