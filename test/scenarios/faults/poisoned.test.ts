import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isLedgerModule, type LedgerModule } from '../../../plugins/execution/ledger/module.ts'
import { account } from '../../../plugins/execution/modules/account.ts'
import { faucet } from '../../../plugins/execution/modules/faucet.ts'
import { SHARD_TUNING } from '../../../plugins/execution/shard/engine.ts'
import { createTestChain, type TestChain, testKeyIn } from '../../../plugins/execution/testing.ts'
import { decodeTransaction, toHex } from '../../../protocol/index.ts'
import { until } from '../../../server/testing/program.ts'
import { memoryLog } from '../ledger/memory-log.ts'

const alice = testKeyIn(0, 'alice')
const bob = testKeyIn(1, 'bob')
const carol = testKeyIn(0, 'carol')
const nobody = testKeyIn(1, 'nobody')
const accounts = [alice, bob, carol].map((key) => ({ key, balance: 10n ** 9n }))

/** What takes seconds of a processor takes longer where many share it. */
const WITHIN_MS = 100_000

const BROKEN = `for (;;);`
const MENDED = `throw new CallError('MENDED', 'it ends now')`

/** A module of its own file, so that its author can mend it. */
const source = (body: string): string => `
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { call, CallError, ledgerModule } from ${JSON.stringify(new URL('../../../plugins/execution/api.ts', import.meta.url).href)}
const run = call({ args: z.strictObject({}), weight: () => 1n, apply() { ${body} } })
export const venom = ledgerModule('venom', { url: import.meta.url, version: 1, home: 'shard', calls: { run } })
`

let folder: string
let file: string
let net: TestChain
const { log, entries } = memoryLog()
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deaios-venom-'))
  file = join(folder, 'venom.ts')
})
afterEach(async () => {
  await net.close()
  await rm(folder, { recursive: true })
})

/** A thread hangs after six times what a call may take. */
async function start(body: string, watchdogMs = 300): Promise<void> {
  await writeFile(file, source(body))
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href)
  const venom: LedgerModule[] = Object.values(exported).filter(isLedgerModule)
  const tuning = { ...SHARD_TUNING, watchdogMs }
  net = await createTestChain({ accounts, modules: [account, faucet, ...venom], parts: { tuning }, log })
}

const status = (shard: string) => net.chain.shards().find(({ id }) => id === shard)?.status
const poison = () =>
  net.sign({ key: alice, nonce: 0, actions: [{ to: nobody.publicKey, call: 'venom.run', value: 7n }] })

describe('a message that cannot be run to its end', () => {
  it('stops its shard, which says why, over restarts too, until the module is mended', async () => {
    await start(BROKEN)
    const wire = poison()
    const [sent] = await net.chain.submit([wire], { wait: 'INCLUDED' })
    expect(sent).toMatchObject({ kind: 'accepted', status: 'INCLUDED' })
    await until(() => status('0:1') === 'STOPPED', 'the shard gives up', WITHIN_MS)
    const id = toHex(decodeTransaction(wire).id)
    const expectTold = (): void => {
      const { ok, message = '' } = net.chain.health()
      expect(ok).toBe(false)
      expect(message).toMatch(/^shard 0:1 is stopped: call "venom\.run" on cell 0x/)
      expect(message).toContain(toHex(nobody.publicKey))
      expect(message).toContain(`of transaction ${id} from cell ${toHex(alice.publicKey)}`)
      expect(message).toMatch(/\(from shard 0:0, transaction in its block \d+\) ran for more than 0\.3 s/)
    }
    expectTold()
    expect(entries.some(({ level, fields }) => level === 'error' && String(fields.reason).includes(id))).toBe(true)
    // The other shard goes on, with payments to the stopped one too: they wait on their way.
    const pay = (nonce: number) => [net.transfer(carol, alice, 1n, nonce), net.transfer(carol, bob, 1n, nonce + 1)]
    const outcomes = await net.chain.submit(pay(0), { wait: 'INCLUDED' })
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['accepted', 'accepted'])
    await expect(net.chain.submit([net.transfer(bob, alice, 1n, 0)], { wait: 'NONE' })).rejects.toMatchObject({
      code: 'SHARD_UNAVAILABLE',
    })

    const starts = entries.length
    await net.restart()
    await until(() => status('0:1') === 'STOPPED', 'it stays down', WITHIN_MS)
    expectTold()
    expect(entries.slice(starts).some(({ message }) => message.includes('started again'))).toBe(false)

    await writeFile(file, (await readFile(file, 'utf8')).replace(BROKEN, MENDED))
    await net.restart()
    await until(() => net.chain.health().ok, 'the mended module runs', WITHIN_MS)
    const [state] = await net.chain.states([decodeTransaction(wire).id])
    await until(
      async () => (await net.chain.states([decodeTransaction(wire).id]))[0]?.status === 'FAILED',
      'it bounced',
    )
    expect(state).not.toBeNull()
    expect(await net.balance(bob)).toBe(10n ** 9n + 1n)
    expect((await net.settled()).total).toBe(net.network.supply)
  })

  it('stops it as well if it is the stack that ends', async () => {
    await start('const deep = (n) => 1 + deep(n + 1); deep(0)')
    await net.chain.submit([poison()], { wait: 'INCLUDED' })
    await until(() => status('0:1') === 'STOPPED', 'the shard gives up', WITHIN_MS)
    expect(net.chain.health().message).toMatch(/call "venom\.run" .* ran out of stack or memory/)
    expect(status('0:0')).toBe('RUNNING')
  })
})

describe('what a call leaves behind and hangs its thread', () => {
  it('costs the transaction its place, not the others theirs', async () => {
    await start('void Promise.resolve().then(() => { for (;;); })', 100)
    // On a cell that somebody owns it would be refused before it runs.
    const to = testKeyIn(0, 'free').publicKey
    const bad = net.sign({ key: alice, nonce: 0, actions: [{ to, call: 'venom.run' }] })
    const good = net.transfer(carol, alice, 1n, 0)
    const outcomes = await net.chain.submit([good, bad], { wait: 'NONE' })
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['accepted', 'accepted'])
    const stateOf = async (wire: Uint8Array) => (await net.chain.states([decodeTransaction(wire).id]))[0]?.status
    await until(async () => (await stateOf(bad)) === 'EVICTED', 'it is found out', WITHIN_MS)
    await until(async () => (await stateOf(good)) === 'EXECUTED', 'the other is included', WITHIN_MS)
    await until(() => net.chain.health().ok, 'the shard runs')
  })
})
